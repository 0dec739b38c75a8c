/** Everything about a folder that looking at it must not change. */

import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Path to size, times, inode, mode and content of the folder itself and of all that is in it. */
export function takePicture(folder: string): Readonly<Record<string, string>> {
  const names = ['.', ...readdirSync(folder, { encoding: 'utf8', recursive: true }).toSorted()];
  return Object.fromEntries(names.map((name) => [name, describeEntry(join(folder, name))]));
}

function describeEntry(path: string): string {
  const { size, mtimeNs, ctimeNs, ino, mode, nlink } = lstatSync(path, { bigint: true });
  const isFile = lstatSync(path).isFile();
  const content = isFile ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
  return `size=${size} mtime=${mtimeNs} ctime=${ctimeNs} inode=${ino} mode=${mode.toString(8)} links=${nlink} ${content}`;
}
