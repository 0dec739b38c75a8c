import { describe, expect, test } from 'vitest';

import { importsOf } from '../src/imports.ts';

describe('importsOf', () => {
  test('finds every form of import', () => {
    const text = [
      `import a from 'one';`,
      `import { b, type C } from "two";`,
      `import * as d from 'three';`,
      `import type { E } from 'four';`,
      `export { f } from 'five';`,
      `export * from 'six';`,
      `import 'seven';`,
      `const g = await import('eight');`,
      `import {\n  h,\n} from 'nine';`,
    ].join('\n');

    const specifiers = importsOf(text).map(({ specifier }) => specifier);

    expect(specifiers).toEqual(['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']);
  });

  test('is not fooled by comments and strings', () => {
    const text = `// import a from 'x';\nconst b = "import c from 'y'";\n/** @see import('z') */`;

    expect(importsOf(text)).toEqual([]);
  });

  test('tells the line', () => {
    expect(importsOf(`\n\nimport 'x';`)).toEqual([{ specifier: 'x', line: 3 }]);
  });
});
