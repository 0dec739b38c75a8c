/** How large each workload is: everything follows from the number of entries, but for the memory that engines get. */

export interface Scale {
  readonly entries: number;
  /** Entries of 1 KiB. */
  readonly largeEntries: number;
  readonly putCount: number;
  readonly inFlightPutCount: number;
  readonly strictPutCount: number;
  readonly concurrentStrictPutCount: number;
  readonly getCount: number;
  readonly coldGetCount: number;
  readonly longEntries: number;
  readonly memoryBytes: number;
  readonly writeBufferBytes: number;
  /** The budget that ten times as much data is loaded into. */
  readonly tightMemoryBytes: number;
  /** Whether what the operating system has cached is written back and dropped where it would be in the way: it is everybody's. */
  readonly touchesPageCache: boolean;
  /** How long nothing must happen before background work counts as settled. */
  readonly quietMs: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_ENTRIES = 1_000_000;
export const SMOKE_ENTRIES = 3000;

/** Least number of operations: below, a figure says nothing even of whether it works. */
const LEAST = 100;

/** Ten times as much takes minutes to load at the default budget of ours, which the long run has. */
const TIGHT_MEMORY_BYTES = { smoke: MIB, usual: 64 * MIB, long: 256 * MIB } as const;

export type RunSize = 'smoke' | 'usual' | 'long';

export function scaleOf(entries: number, size: RunSize): Scale {
  const smoke = size === 'smoke';
  const share = (part: number): number => Math.max(LEAST, Math.round(entries * part));
  return {
    entries,
    largeEntries: share(0.5),
    putCount: share(0.1),
    inFlightPutCount: share(0.5),
    strictPutCount: share(0.005),
    concurrentStrictPutCount: share(0.05),
    getCount: share(0.3),
    coldGetCount: share(0.05),
    longEntries: share(smoke ? 5 : 20),
    memoryBytes: smoke ? 8 * MIB : 256 * MIB,
    writeBufferBytes: smoke ? MIB : 32 * MIB,
    tightMemoryBytes: TIGHT_MEMORY_BYTES[size],
    touchesPageCache: !smoke,
    quietMs: smoke ? 60 : 1000,
  };
}
