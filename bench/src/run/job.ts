/** What the parent asks of a child process, and what it answers. Plain data: it crosses process borders as JSON. */

import type { EngineName } from '../engines/engine-name.ts';
import type { MetricId } from '../metrics.ts';
import type { Scale } from '../scale.ts';
import type { FigureDetail } from '../stages/stage.ts';

export interface Job {
  readonly engine: EngineName;
  /** Counted from 1. */
  readonly round: number;
  /** Done in order, in one process. */
  readonly steps: readonly Step[];
  readonly scale: Scale;
  /** The folder in which each family has one. */
  readonly dataDirectory: string;
}

export interface Step {
  readonly family: string;
  readonly stage: string;
}

/** One measured number. */
export interface Figure {
  readonly engine: EngineName;
  readonly round: number;
  readonly metric: MetricId;
  readonly value: number;
  readonly detail?: FigureDetail;
}

/** Why there is no number. */
export interface Gap {
  readonly engine: EngineName;
  readonly round: number;
  readonly metric: MetricId;
  readonly reason: string;
  /** Whether something went wrong, as against an engine that lacks something. */
  readonly failed: boolean;
}

export type ChildMessage =
  | { readonly kind: 'contestant'; readonly version: string; readonly settings: Settings }
  | { readonly kind: 'figure'; readonly figure: Figure }
  | { readonly kind: 'gap'; readonly gap: Gap };

/** Settings of an engine, in its own words. */
export type Settings = Readonly<Record<string, string | number | boolean>>;
