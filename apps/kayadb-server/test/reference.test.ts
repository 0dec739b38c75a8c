import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { EXIT } from '../src/describe-failure.ts';
import { buildProgram } from '../src/flags.ts';
import { environmentName, SETTING_NAMES, settingsSchema } from '../src/settings.ts';
import { UNAVAILABLE } from '../src/unavailable.ts';

const page = readFileSync(new URL('../../../docs/reference/server.md', import.meta.url), 'utf8');

/** Rows of the first table behind `heading`, without its head. */
function tableAfter(heading: string): readonly (readonly string[])[] {
  const lines = page.slice(page.indexOf(`\n## ${heading}`)).split('\n');
  const start = lines.findIndex((line) => line.startsWith('|'));
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  const rows = lines.slice(start + 2, start + length);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('docs/reference/server.md', () => {
  test('lists the flags that the program has, as it has them', () => {
    const documented = tableAfter('Settings').map(([flag]) => flag!.replaceAll('`', ''));

    const flags = buildProgram(() => {}).options.map(({ flags: text }) => text);

    expect(documented.toSorted()).toEqual([...flags, '--help'].toSorted());
  });

  test('lists each variable and default beside its flag', () => {
    const rows = new Map(tableAfter('Settings').map((cells) => [/--([\w-]+)/u.exec(cells[0]!)![1], cells]));
    const defaults = settingsSchema.parse({});
    const addresses = {
      'client-addr': '127.0.0.1:7379',
      'raft-addr': '127.0.0.1:7481',
      'metrics-addr': '127.0.0.1:9090',
    };
    const texts: Readonly<Record<string, unknown>> = { ...defaults, ...addresses };

    for (const name of SETTING_NAMES) {
      const value = texts[name];
      const shown = value === undefined ? 'none' : value === false ? 'off' : `\`${value as string}\``;
      expect(rows.get(name)?.slice(1, 3)).toEqual([`\`${environmentName(name)}\``, shown]);
    }
  });

  test('names each flag that is refused', () => {
    for (const name of Object.keys(UNAVAILABLE)) expect(page).toContain(`\`--${name}\``);
  });

  test('lists the exit codes', () => {
    const documented = tableAfter('Exit codes').map(([code]) => Number(code));

    expect(documented).toEqual(Object.values(EXIT));
  });
});
