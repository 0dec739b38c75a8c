/** Tells whether two simulated disks hold the same names and bytes, so that none is opened, and counted, twice. */

import { createHash } from 'node:crypto';

import type { MemoryFileSystem } from './memory-file-system.ts';
import type { MemoryFile } from './memory-file.ts';
import type { MemoryFolder } from './memory-folder.ts';

/**
 * The same text for the same tree of names, links and contents, and another one for another. What is synced makes no difference.
 * Costs little for disks that share pages with others: pages are hashed once.
 */
export function diskFingerprint(fs: MemoryFileSystem): string {
  const lines: string[] = [];
  const files = new Map<MemoryFile, number>();
  const describe = (folder: MemoryFolder, path: string): void => {
    for (const name of [...folder.entries.keys()].toSorted()) {
      const node = folder.entries.get(name)!;
      lines.push(`${path}/${name}`);
      if (node.kind === 'directory') describe(node, `${path}/${name}`);
      else {
        const known = files.get(node);
        lines.push(known === undefined ? node.fingerprint() : `as file ${known}`);
        if (known === undefined) files.set(node, files.size);
      }
    }
  };
  describe(fs.content.root, '');
  return createHash('sha1').update(lines.join('\n')).digest('base64');
}
