/** Who may import whom: the table of the architecture, compared with every package.json and every import. */

import { dirname, join, normalize } from 'node:path/posix';

import { importsOf } from './imports.ts';
import { isProduction, isSource, isTest, isTesting, workspaceOf, type TextFile } from './repository.ts';

/** Folder name to the `@kayadb/*` packages it depends on at run time, in alphabetical order. */
export type DependencyTable = Readonly<Record<string, readonly string[]>>;

const SCOPE = '@kayadb/';

/** Where package.json differs from the table: a folder that only one of them knows, or another set of dependencies. */
export function findManifestDifferences(manifests: readonly TextFile[], table: DependencyTable): readonly string[] {
  const found = new Map(
    manifests.map(({ path, text }) => [workspaceOf(path)?.name ?? path, runtimeDependencies(text)]),
  );
  const names = [...new Set([...found.keys(), ...Object.keys(table)])].toSorted();
  return names.flatMap((name) => {
    const actual = found.get(name);
    const expected = table[name];
    if (expected === undefined) return [`${name} is not in the table`];
    if (actual === undefined) return [`${name} is in the table, but there is no such folder`];
    if (actual.join() === expected.join()) return [];
    return [`${name} depends on [${actual.join(', ')}], the table says [${expected.join(', ')}]`];
  });
}

/**
 * Imports that break the table or go around the packages' doors: production code may import what the table says, by
 * entry; tests and fakes may also import `testkit`, what their package.json lists for development, and `/testing`.
 */
export function findForbiddenImports(
  sources: readonly TextFile[],
  manifests: readonly TextFile[],
  table: DependencyTable,
): readonly string[] {
  const development = new Map(
    manifests.map(({ path, text }) => [workspaceOf(path)?.name ?? path, developmentDependencies(text)]),
  );
  return sources
    .filter(({ path }) => isSource(path))
    .flatMap((file) =>
      importsOf(file.text).flatMap(({ specifier, line }) => {
        const reason = reasonAgainst(file.path, specifier, table, development);
        return reason === undefined ? [] : [`${file.path}:${line}: ${specifier}: ${reason}`];
      }),
    );
}

function reasonAgainst(
  path: string,
  specifier: string,
  table: DependencyTable,
  development: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const workspace = workspaceOf(path);
  if (workspace === undefined) return undefined;
  if (specifier.startsWith('.')) return reasonAgainstPath(path, specifier);
  if (!specifier.startsWith(SCOPE)) return undefined;
  const [name = '', ...rest] = specifier.slice(SCOPE.length).split('/');
  const door = rest.join('/');
  if (door !== '' && door !== 'testing') return 'packages are imported by name, or by name and /testing';
  if (name === workspace.name) return 'a package imports its own files by path';
  if (isProduction(path)) {
    if (door === 'testing') return 'fakes are for tests';
    return table[workspace.name]?.includes(name) === true ? undefined : 'not in the dependency table';
  }
  const allowed = [...(table[workspace.name] ?? []), ...(development.get(workspace.name) ?? [])];
  if (!allowed.includes(name)) return 'neither in the dependency table nor in devDependencies';
  return name === 'testkit' && isTesting(path) && !isTest(path) ? 'fakes ship, so they cannot use testkit' : undefined;
}

function reasonAgainstPath(path: string, specifier: string): string | undefined {
  const target = normalize(join(dirname(path), specifier));
  const [group, name] = path.split('/');
  const home = group === 'bench' ? 'bench/' : `${group}/${name}/`;
  if (!target.startsWith(home)) return 'a path never leaves its package';
  const shipped = !isTest(path) && !isTesting(path);
  if (shipped && isTesting(target)) return 'fakes are for tests';
  return shipped && isTest(target) ? 'a test is imported by nobody' : undefined;
}

function runtimeDependencies(manifest: string): readonly string[] {
  return scoped(manifest, ['dependencies', 'peerDependencies', 'optionalDependencies']);
}

function developmentDependencies(manifest: string): readonly string[] {
  return scoped(manifest, ['devDependencies']);
}

function scoped(manifest: string, fields: readonly string[]): readonly string[] {
  const parsed = JSON.parse(manifest) as Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;
  const names = fields.flatMap((field) => Object.keys(parsed[field] ?? {}));
  return names
    .filter((name) => name.startsWith(SCOPE))
    .map((name) => name.slice(SCOPE.length))
    .toSorted();
}
