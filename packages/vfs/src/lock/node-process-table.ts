/**
 * ProcessTable of this machine, from /proc where there is one and from signal 0 elsewhere.
 *
 * Invariant: `dead` is said only when the process cannot be running; every doubt is `alive` or `unknown`.
 */

import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

import { errnoOf } from '../node/system-error.ts';
import type { Liveness, ProcessIdentity, ProcessTable } from './process-table.ts';

/** What the table asks of the machine; tests answer instead. Reads give `undefined` for what is not there. */
export interface Machine {
  readonly pid: number;
  readonly host: string;
  readText(path: string): string | undefined;
  readLink(path: string): string | undefined;
  /** Sends signal 0. @returns The errno, or `undefined` when it was delivered. */
  probe(pid: number): string | undefined;
}

/** The table of the running machine. */
export function nodeProcessTable(): ProcessTable {
  return new MachineProcessTable({
    pid: process.pid,
    host: hostname(),
    readText: (path) => orUndefined(() => readFileSync(path, 'utf8')),
    readLink: (path) => orUndefined(() => readlinkSync(path)),
    probe: (pid) => {
      try {
        process.kill(pid, 0);
        return undefined;
      } catch (error) {
        return errnoOf(error) ?? 'EINVAL';
      }
    },
  });
}

export class MachineProcessTable implements ProcessTable {
  readonly #machine: Machine;
  readonly #self: ProcessIdentity;
  /** False when /proc is mounted for another pid namespace, where our numbers mean other processes. */
  readonly #procIsOurs: boolean;

  constructor(machine: Machine) {
    this.#machine = machine;
    const startTicks = parseProcessStat(machine.readText('/proc/self/stat'))?.startTicks ?? 0;
    this.#procIsOurs = startTicks !== 0 && this.#statOf(machine.pid)?.startTicks === startTicks;
    this.#self = {
      pid: machine.pid,
      host: machine.host,
      bootId: machine.readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '',
      pidNamespace: machine.readLink('/proc/self/ns/pid') ?? '',
      startTicks,
    };
  }

  self(): ProcessIdentity {
    return this.#self;
  }

  newToken(): string {
    return randomUUID();
  }

  isAlive(identity: ProcessIdentity): Liveness {
    const self = this.#self;
    if (identity.host !== self.host) return 'unknown';
    // A reboot ends every process of the host. Only two known boots can differ.
    if (identity.bootId !== self.bootId) return identity.bootId === '' || self.bootId === '' ? 'unknown' : 'dead';
    // The same number is another process in another container, and its processes cannot be seen from here.
    if (identity.pidNamespace !== self.pidNamespace) return 'unknown';
    const stat = this.#procIsOurs ? this.#statOf(identity.pid) : undefined;
    if (stat === undefined || identity.startTicks === 0) return this.#probe(identity.pid);
    if (stat.startTicks !== identity.startTicks) return 'dead';
    return stat.ended ? 'dead' : 'alive';
  }

  #statOf(pid: number): ProcessStat | undefined {
    return parseProcessStat(this.#machine.readText(`/proc/${pid}/stat`));
  }

  /** Also the answer where /proc hides the processes of other users: EPERM means that there is one. */
  #probe(pid: number): Liveness {
    return this.#machine.probe(pid) === 'ESRCH' ? 'dead' : 'alive';
  }
}

export interface ProcessStat {
  readonly startTicks: number;
  /** It has exited with all its threads and waits only for its parent to notice. */
  readonly ended: boolean;
}

/**
 * Reads /proc/<pid>/stat, proc(5): field 3 is the state, 20 the number of threads, 22 the start time. Field 2 is the
 * program's name in parentheses and may itself hold spaces and parentheses, so fields are counted from the last one.
 */
export function parseProcessStat(text: string | undefined): ProcessStat | undefined {
  if (text === undefined) return undefined;
  const fields = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/);
  const state = fields[0];
  const threads = Number(fields[17]);
  const startTicks = Number(fields[19]);
  if (state === undefined || !Number.isSafeInteger(startTicks)) return undefined;
  // A first thread may have ended while others still write; then the state is Z too, but the count is not 1.
  return { startTicks, ended: (state === 'Z' || state === 'X') && threads <= 1 };
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
