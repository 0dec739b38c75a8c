import { describe, expect, test } from 'vitest';

import { compareErrorPage, errorCodesOf } from '../src/error-codes.ts';
import { filesMatching, repositoryFiles } from '../src/repository.ts';

/** Given by the programs to errors that are no KayaError, so they are in no union. */
const CODES_OF_LAST_RESORT: readonly string[] = ['KAYA_INTERNAL', 'KAYA_INVARIANT'];

describe('docs/reference/errors.md', () => {
  test('has a heading for each error code, and none else', () => {
    const codes = errorCodesOf(repositoryFiles());
    const [page] = filesMatching(/^docs\/reference\/errors\.md$/);

    const differences = compareErrorPage(page?.text ?? '', [...codes, ...CODES_OF_LAST_RESORT]);

    expect(codes).toContain('KAYA_CORRUPTION');
    expect(differences).toEqual([]);
  });
});

describe('errorCodesOf', () => {
  test('reads the unions of production code, in one line or many', () => {
    const files = [
      { path: 'packages/a/src/x.ts', text: `export type AErrorCode = 'KAYA_B' | 'KAYA_A';\ntype Other = 'KAYA_NO';` },
      { path: 'apps/b/src/y.ts', text: `type BErrorCode =\n  | 'KAYA_C' // 'KAYA_COMMENT'\n  | AErrorCode;` },
      { path: 'packages/a/src/x.test.ts', text: `type TErrorCode = 'KAYA_TEST';` },
    ];

    expect(errorCodesOf(files)).toEqual(['KAYA_A', 'KAYA_B', 'KAYA_C']);
  });
});

describe('compareErrorPage', () => {
  test('reports what is missing, unknown or doubled', () => {
    const page = '# Errors\n\n## `KAYA_A`\n\n### KAYA_OLD\n\n## KAYA_A\n';

    const differences = compareErrorPage(page, ['KAYA_A', 'KAYA_NEW']);

    expect(differences).toEqual([
      'KAYA_NEW has no heading',
      'KAYA_OLD is no code of any package',
      'KAYA_A has two headings',
    ]);
  });
});
