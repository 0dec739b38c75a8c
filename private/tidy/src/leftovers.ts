/** What must not stay in a tree: notes of unfinished work, traces of one machine, versions that float. */

import { lineAt } from './mask.ts';
import type { TextFile } from './repository.ts';

const WORDS: readonly { readonly what: RegExp; readonly reason: string }[] = [
  { what: /\b(?:TODO|FIXME|XXX|HACK|WIP)\b/g, reason: 'unfinished work belongs in an issue' },
  {
    what: /\b(?:not (?:yet )?implemented|placeholder for|stub for)\b/gi,
    reason: 'unfinished work belongs in an issue',
  },
  { what: /(?<![\w.$}])\/(?:work|root|Users|home\/\w+)\//g, reason: 'a path of one machine' },
  {
    what: /\bregistry\.\w+\.\w|\bartifactory\b|\bverdaccio\b|\bregistry\s*=/gi,
    reason: 'a registry host',
  },
];

/** `path:line: word: reason`, in any text file but the lockfile, which `findLockfileHosts` reads. */
export function findLeftovers(files: readonly TextFile[]): readonly string[] {
  return files
    .filter(({ path }) => path !== 'pnpm-lock.yaml' && !path.startsWith('private/tidy/') && path !== 'LICENSE')
    .flatMap(({ path, text }) =>
      WORDS.flatMap(({ what, reason }) =>
        [...text.matchAll(what)].map((match) => `${path}:${lineAt(text, match.index)}: ${match[0]}: ${reason}`),
      ),
    );
}

/** Lines of a lockfile that name a host, so that it installs only where it was written. */
export function findLockfileHosts(lockfile: string): readonly string[] {
  return [...lockfile.matchAll(/^.*(?:\b\w+:\/\/|\btarball:|\bgit\+|\bcodeload\b).*$/gm)].map(
    (match) => `${lineAt(lockfile, match.index)}: ${match[0].trim()}`,
  );
}

const DEPENDENCY_FIELDS = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'];

/** Dependencies whose version is not one exact version, the catalog's, or the workspace's own package. */
export function findFloatingVersions(manifests: readonly TextFile[]): readonly string[] {
  return manifests.flatMap(({ path, text }) => {
    const manifest = JSON.parse(text) as Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;
    return DEPENDENCY_FIELDS.flatMap((field) =>
      Object.entries(manifest[field] ?? {})
        .filter(([, version]) => !/^(?:catalog:|workspace:\*|\d+\.\d+\.\d+(?:-[\w.]+)?)$/.test(version))
        .map(([name, version]) => `${path}: ${name}: ${version}`),
    );
  });
}

/** Entries of the `catalog:` in pnpm-workspace.yaml that are not exact. */
export function findFloatingCatalog(workspace: string): readonly string[] {
  const block = /^catalog:\n((?: {2}.*\n)*)/m.exec(workspace)?.[1] ?? '';
  return block
    .split('\n')
    .filter((line) => line.trim() !== '' && !/:\s*['"]?\d+\.\d+\.\d+(?:-[\w.]+)?['"]?$/.test(line))
    .map((line) => line.trim());
}
