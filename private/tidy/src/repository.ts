/** The repository as a list of text files: what every rule reads. Generated and installed folders are left out. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface TextFile {
  /** From the repository's root, with `/`. */
  readonly path: string;
  readonly text: string;
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const IGNORED_FOLDERS: ReadonlySet<string> = new Set(['.git', '.turbo', 'coverage', 'data', 'dist', 'node_modules']);
const TEXT_ENDINGS = /(?:\.(?:ts|js|json|md|ya?ml|toml|txt|sh|service)|^[^.]+|\/(?:\.[a-z]+|run|[A-Z]+))$/;

let cached: readonly TextFile[] | undefined;

/** Every text file, sorted by path; read once. */
export function repositoryFiles(): readonly TextFile[] {
  cached ??= walk('').map((path) => ({ path, text: readFileSync(ROOT + path, 'utf8') }));
  return cached;
}

/** The files whose path matches. */
export function filesMatching(pattern: RegExp): readonly TextFile[] {
  return repositoryFiles().filter(({ path }) => pattern.test(path));
}

/** Whether a file or folder of that path exists, of any kind. */
export function repositoryHas(path: string): boolean {
  return existsSync(ROOT + path);
}

function walk(folder: string): string[] {
  const entries = readdirSync(ROOT + folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = folder + entry.name;
    if (entry.isDirectory()) return IGNORED_FOLDERS.has(entry.name) ? [] : walk(`${path}/`);
    return entry.isFile() && TEXT_ENDINGS.test(`/${path}`) ? [path] : [];
  });
}

/** `packages`, `apps` or `private`, and the folder below it; `bench` by itself; `undefined` for files of the root. */
export function workspaceOf(path: string): { readonly group: string; readonly name: string } | undefined {
  const [group, name, ...rest] = path.split('/');
  if (group === 'bench' && name !== undefined) return { group, name: 'bench' };
  if (group === undefined || name === undefined || rest.length === 0) return undefined;
  return ['packages', 'apps', 'private'].includes(group) ? { group, name } : undefined;
}

/** TypeScript of the workspaces. */
export function isSource(path: string): boolean {
  return workspaceOf(path) !== undefined && path.endsWith('.ts');
}

/** A file that runs only in tests: `*.test.ts`, and everything under `test/`. */
export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || /^(?:[^/]+\/[^/]+|bench)\/test\//.test(path);
}

/** Fakes that ship as `@kayadb/x/testing`. */
export function isTesting(path: string): boolean {
  return /^[^/]+\/[^/]+\/src\/testing\//.test(path);
}

/** What ships and runs for a user. */
export function isProduction(path: string): boolean {
  return isSource(path) && !/^(?:private|bench)\//.test(path) && !isTest(path) && !isTesting(path);
}
