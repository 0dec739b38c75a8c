/** What every command loads before it does anything: who asks a server for a key does not wait for the engine, and nobody waits for a server. */

import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

const MAIN = new URL('../src/main.ts', import.meta.url);
/** At the beginning of a line. Of `import { type A }` the compiler leaves an import of nothing, which loads as much. */
const STATIC_IMPORT = /^(?:import|export) (?!type\b)(?:[^;]*? from )?'([^']+)';$/gm;

/** Packages that are loaded with the file, by whatever way. */
function packagesOf(file: URL, seen = new Set<string>()): ReadonlySet<string> {
  const packages = new Set<string>();
  if (seen.has(file.href)) return packages;
  seen.add(file.href);
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(STATIC_IMPORT)) {
    if (name.startsWith('.')) for (const each of packagesOf(new URL(name, file), seen)) packages.add(each);
    else packages.add(name);
  }
  return packages;
}

describe('kayactl', () => {
  test('begins without the engine and the server', () => {
    const packages = [...packagesOf(MAIN)].filter((name) => name.startsWith('@kayadb/')).toSorted();

    expect(packages).toEqual(['@kayadb/client', '@kayadb/codec', '@kayadb/vfs']);
  });
});
