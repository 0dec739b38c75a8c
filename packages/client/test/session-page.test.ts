import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { SESSION_WINDOW } from '../src/limits.ts';

describe('docs/format/state-machine.md', () => {
  test('has the window of a session that the client keeps to', () => {
    const page = readFileSync(new URL('../../../docs/format/state-machine.md', import.meta.url), 'utf8');

    expect(page).toContain(`| \`SESSION_WINDOW\` | ${SESSION_WINDOW} |`);
  });
});
