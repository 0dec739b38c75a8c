/** A stage: workloads that one child process measures one after the other in one folder. */

import type { Contestant, OpenStore, StoreSettings } from '../engines/contestant.ts';
import type { MetricId } from '../metrics.ts';
import type { Scale } from '../scale.ts';

export interface StageContext {
  readonly contestant: Contestant;
  /** Exists; empty unless an earlier stage of the family filled it. */
  readonly directory: string;
  readonly scale: Scale;
  /** The same for all engines of a round. */
  readonly seed: number;
  report(metric: MetricId, value: number, detail?: FigureDetail): void;
  /** Says why there is no figure. */
  skip(metric: MetricId, reason: string): void;
}

export type FigureDetail = Readonly<Record<string, number | readonly number[]>>;

export type Stage = (context: StageContext) => Promise<void>;

/** Opens a store with the settings of the run, but for what is given. */
export function openStore(
  { contestant, directory, scale }: StageContext,
  settings: Partial<StoreSettings> = {},
): Promise<OpenStore> {
  const { memoryBytes, writeBufferBytes } = scale;
  return contestant.open(directory, { memoryBytes, writeBufferBytes, durability: 'none', ...settings });
}
