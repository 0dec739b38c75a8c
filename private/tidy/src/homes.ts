/**
 * Where the outside world may be touched: files and sockets in one package each, clocks and randomness only where
 * parts are wired together. Everything else is handed them, so that it can be tested and simulated.
 */

import { importsOf } from './imports.ts';
import { lineAt, maskAll } from './mask.ts';
import { isSource, isTest, type TextFile } from './repository.ts';

interface Home {
  readonly what: RegExp;
  readonly allows: (path: string) => boolean;
  readonly instead: string;
}

/** Files outside apps/ that hold the real clock or real randomness, each the one place of its package. */
const COMPOSITION_FILES: ReadonlySet<string> = new Set([
  'packages/client/src/system-clock.ts',
  'packages/engine/src/resources.ts',
  'packages/vfs/src/lock/node-process-table.ts',
]);

const isComposition = (path: string): boolean => /^apps\/[^/]+\/src\//.test(path) || COMPOSITION_FILES.has(path);

/** Tests of whole programs and benchmarks run real processes on real disks; the tools for tests read files. */
const isOutside = (path: string): boolean =>
  /^(?:private|bench)\//.test(path) || (path.startsWith('apps/') && isTest(path));

/** Suites that compare the pages of docs/format with the code read those pages. */
const isSuite = (path: string): boolean => /^packages\/[^/]+\/test\//.test(path);

const MODULES: readonly Home[] = [
  {
    what: /^(?:node:)?fs(?:\/promises)?$/,
    allows: (path) => path.startsWith('packages/vfs/') || isOutside(path) || isSuite(path),
    instead: 'take a FileSystem of @kayadb/vfs',
  },
  {
    what: /^(?:node:)?(?:net|tls)$/,
    allows: (path) => path.startsWith('packages/transport/') || isOutside(path),
    instead: 'take a Network of @kayadb/transport',
  },
  {
    what: /^(?:node:)?(?:timers(?:\/promises)?|perf_hooks)$/,
    allows: (path) => isComposition(path) || isOutside(path),
    instead: 'take a Clock of @kayadb/codec',
  },
];

const WORDS: readonly Home[] = [
  {
    what: /\b(?:Date\.now|performance\.now|process\.hrtime|setTimeout|setInterval|new Date\(\s*\)|Date\(\s*\))/g,
    allows: (path) => isComposition(path) || isOutside(path),
    instead: 'take a Clock of @kayadb/codec',
  },
  {
    what: /\bMath\.random\b|\bcrypto\.(?:random\w+|getRandomValues)|\bimport\s*\{[^}]*\b(?:random(?:Bytes|UUID|Int|Fill|FillSync)|getRandomValues)\b/g,
    allows: (path) => isComposition(path) || isOutside(path),
    instead: 'take the random source as an argument',
  },
];

/** `path:line: what: what to do instead`, for each use outside its home. */
export function findStrays(files: readonly TextFile[]): readonly string[] {
  return files.filter(({ path }) => isSource(path)).flatMap((file) => [...strayImports(file), ...strayWords(file)]);
}

function strayImports({ path, text }: TextFile): readonly string[] {
  return importsOf(text).flatMap(({ specifier, line }) => {
    const home = MODULES.find(({ what }) => what.test(specifier));
    return home === undefined || home.allows(path) ? [] : [`${path}:${line}: ${specifier}: ${home.instead}`];
  });
}

function strayWords({ path, text }: TextFile): readonly string[] {
  const code = maskAll(text);
  return WORDS.filter(({ allows }) => !allows(path)).flatMap(({ what, instead }) =>
    [...code.matchAll(what)].map((match) => `${path}:${lineAt(text, match.index)}: ${match[0]}: ${instead}`),
  );
}
