/** Random histories of a small disk, as data that prints and shrinks, and the plain model they are compared with. */

import * as fc from 'fast-check';

import type { FileSystem } from '../src/index.ts';
import { MemoryFileSystem } from '../src/testing/index.ts';

export const FOLDERS = ['/', '/d'] as const;
export const FILES = ['/a', '/b', '/d/a', '/d/b'] as const;

export type Step =
  | { readonly kind: 'write'; readonly path: string; readonly position: number; readonly bytes: number }
  | { readonly kind: 'truncate'; readonly path: string; readonly bytes: number }
  | { readonly kind: 'rename' | 'link'; readonly path: string; readonly to: string }
  | { readonly kind: 'sync' | 'unlink' | 'syncDirectory'; readonly path: string };

const path = fc.constantFrom(...FILES);
const offset = fc.oneof(fc.nat(2000), fc.integer({ min: 4090, max: 4100 }), fc.nat(9000));
const kind = <K extends Step['kind']>(name: K): fc.Arbitrary<K> => fc.constant(name);

export const history: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: kind('write'), path, position: offset, bytes: fc.nat(3000) }) },
    { weight: 2, arbitrary: fc.record({ kind: kind('truncate'), path, bytes: offset }) },
    { weight: 3, arbitrary: fc.record({ kind: kind('sync'), path }) },
    { weight: 1, arbitrary: fc.record({ kind: kind('rename'), path, to: path }) },
    { weight: 1, arbitrary: fc.record({ kind: kind('link'), path, to: path }) },
    { weight: 1, arbitrary: fc.record({ kind: kind('unlink'), path }) },
    { weight: 2, arbitrary: fc.record({ kind: kind('syncDirectory'), path: fc.constantFrom(...FOLDERS) }) },
  ),
  { maxLength: 25 },
);

/** A disk with the folders of a history. */
export async function openTree(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  await fs.makeDirectory('/d');
  await fs.syncDirectory('/');
  return fs;
}

/** Takes the steps; each write fills with its own number, and a step the state does not allow changes nothing. */
export async function takeSteps(fs: FileSystem, steps: readonly Step[], firstFill: number = 1): Promise<void> {
  for (const [index, step] of steps.entries()) await takeStep(fs, step, firstFill + index);
}

export async function takeStep(fs: FileSystem, step: Step, fill: number): Promise<void> {
  if (step.kind === 'syncDirectory') return fs.syncDirectory(step.path);
  if (step.kind === 'unlink') return fs.unlink(step.path).catch(() => {});
  if (step.kind === 'rename' || step.kind === 'link') return fs[step.kind](step.path, step.to).catch(() => {});
  const handle = await fs.open(step.path, (await fs.stat(step.path)) === undefined ? 'create' : 'write');
  if (step.kind === 'write') await handle.write(new Uint8Array(step.bytes).fill(fill), step.position);
  else if (step.kind === 'truncate') await handle.truncate(step.bytes);
  else await handle.sync();
  return handle.close();
}

/** All names and contents as text. */
export async function describeDisk(fs: FileSystem): Promise<string> {
  const lines: string[] = [];
  for (const folder of FOLDERS) {
    for (const entry of await fs.readDirectory(folder)) {
      if (entry.kind !== 'file') continue;
      const name = folder === '/' ? `/${entry.name}` : `${folder}/${entry.name}`;
      lines.push(describeFile(name, await fs.readFile(name)));
    }
  }
  return lines.join('\n');
}

/** The content as runs of equal bytes. */
function describeFile(name: string, content: Uint8Array): string {
  const runs: string[] = [];
  for (let start = 0; start < content.length;) {
    let end = start;
    while (end < content.length && content[end] === content[start]) end++;
    runs.push(`${end - start}x${content[start]}`);
    start = end;
  }
  return `${name}: ${runs.join(' ')}`;
}

interface PlainFile {
  content: Uint8Array;
  synced: Uint8Array;
}

/** What must survive power loss for certain, kept the plain way: whole copies of files and of name tables. */
export class PlainDurability {
  readonly #current = new Map<string, PlainFile>();
  readonly #synced = new Map<string, PlainFile>();

  take(step: Step, fill: number): void {
    const file = this.#current.get(step.path);
    switch (step.kind) {
      case 'write':
        this.#write(this.#fileAt(step.path), step.position, new Uint8Array(step.bytes).fill(fill));
        return;
      case 'truncate':
        this.#resize(this.#fileAt(step.path), step.bytes);
        return;
      case 'sync':
        this.#fileAt(step.path).synced = this.#fileAt(step.path).content;
        return;
      case 'unlink':
        this.#current.delete(step.path);
        return;
      case 'link':
        if (file !== undefined && !this.#current.has(step.to)) this.#current.set(step.to, file);
        return;
      case 'rename':
        this.#rename(step.path, step.to);
        return;
      case 'syncDirectory':
        this.#syncFolder(step.path);
    }
  }

  describe(): string {
    const sorted = FILES.filter((name) => this.#synced.has(name));
    return sorted.map((name) => describeFile(name, this.#synced.get(name)?.synced ?? new Uint8Array())).join('\n');
  }

  #fileAt(name: string): PlainFile {
    const file = this.#current.get(name) ?? { content: new Uint8Array(), synced: new Uint8Array() };
    this.#current.set(name, file);
    return file;
  }

  #write(file: PlainFile, position: number, data: Uint8Array): void {
    if (data.length === 0) return;
    this.#resize(file, Math.max(file.content.length, position + data.length));
    file.content.set(data, position);
  }

  #resize(file: PlainFile, bytes: number): void {
    const content = new Uint8Array(bytes);
    content.set(file.content.subarray(0, bytes));
    file.content = content;
  }

  #rename(from: string, to: string): void {
    const file = this.#current.get(from);
    if (file === undefined || this.#current.get(to) === file) return;
    this.#current.set(to, file);
    this.#current.delete(from);
  }

  #syncFolder(folder: string): void {
    for (const name of FILES.filter((each) => folderOf(each) === folder)) {
      const file = this.#current.get(name);
      if (file === undefined) this.#synced.delete(name);
      else this.#synced.set(name, file);
    }
  }
}

export function folderOf(name: string): string {
  return name.startsWith('/d/') ? '/d' : '/';
}
