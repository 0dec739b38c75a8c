/** What the figures were measured on. */

import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';

export interface Machine {
  readonly processors: number;
  readonly processor: string;
  readonly memoryBytes: number;
  readonly system: string;
  /** Of the folder that holds the stores. */
  readonly fileSystem: string;
  /** Averages of 1, 5 and 15 minutes when the run began: how busy others kept the machine. */
  readonly load: readonly number[];
  readonly node: string;
}

export function describeMachine(dataDirectory: string): Machine {
  return {
    processors: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    system: `${platform()} ${release()} ${arch()}`,
    fileSystem: fileSystemOf(dataDirectory, readFileSync('/proc/mounts', 'utf8')),
    load: loadavg(),
    node: process.version,
  };
}

/** @returns Kind and options of the mount that holds `path`, found in a text like that of /proc/mounts. */
export function fileSystemOf(path: string, mounts: string): string {
  const holding = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, point = '?']) => path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`))
    // Of two mounts on one point, the later one hides the other.
    .reduce<readonly string[]>((best, mount) => ((mount[1] ?? '').length >= (best[1] ?? '').length ? mount : best), []);
  return `${holding[2] ?? 'unknown'} (${holding[3] ?? ''})`;
}
