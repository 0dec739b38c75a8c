/** What Linux knows of this process with all its threads: bytes written, memory, and whether a thread is at work. */

import { readdirSync, readFileSync } from 'node:fs';

export interface DiskCounters {
  /** Bytes handed to write calls. */
  readonly calledBytes: number;
  /** Bytes that made a page of the page cache dirty, and so reach the disk unless deleted before. */
  readonly dirtiedBytes: number;
}

export function readDiskCounters(): DiskCounters {
  const fields = parseCounters(readFileSync('/proc/self/io', 'utf8'));
  return { calledBytes: fields.get('wchar') ?? 0, dirtiedBytes: fields.get('write_bytes') ?? 0 };
}

export interface MemoryCounters {
  /** Resident now. */
  readonly residentBytes: number;
  /** The most that was ever resident. */
  readonly peakBytes: number;
  /** Resident now and not backed by a file: what only this process has. */
  readonly ownBytes: number;
}

export function readMemoryCounters(): MemoryCounters {
  const fields = parseCounters(readFileSync('/proc/self/status', 'utf8'));
  const bytes = (name: string): number => (fields.get(name) ?? 0) * 1024;
  return {
    residentBytes: bytes('VmRSS'),
    peakBytes: bytes('VmHWM'),
    ownBytes: bytes('RssAnon') + bytes('RssShmem'),
  };
}

/** @returns Numbers of lines like `name: 123` or `name: 123 kB`; other lines are left out. */
export function parseCounters(text: string): ReadonlyMap<string, number> {
  return new Map(
    [...text.matchAll(/^(\w+):\s+(\d+)(?: kB)?$/gm)].map(([, name, number]) => [name as string, Number(number)]),
  );
}

/** What a thread is doing while it has work: running or ready to, or waiting in the kernel for a disk. */
const BUSY_STATES: ReadonlySet<string | undefined> = new Set(['R', 'D']);

/** Whether a thread other than the main one, which asks, is at work, even if it gets no processor. */
export function hasBusyThread(): boolean {
  const main = String(process.pid);
  return readdirSync('/proc/self/task').some((task) => task !== main && BUSY_STATES.has(threadState(task)));
}

function threadState(task: string): string | undefined {
  try {
    // The name of the thread, in parentheses, may hold spaces and parentheses itself.
    return readFileSync(`/proc/self/task/${task}/stat`, 'utf8').split(') ').at(-1)?.[0];
  } catch {
    return undefined;
  }
}
