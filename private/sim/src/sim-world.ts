/** What everything in one run shares. */

import type { SeededRandom } from '@kayadb/testkit';

import type { Checks } from './checks/checks.ts';
import type { Counts } from './world/counts.ts';
import type { Network } from './world/network.ts';
import type { Profile } from './world/profile.ts';
import type { Timeline } from './world/timeline.ts';
import type { Trace } from './world/trace.ts';

/** What changes for everybody at once. */
export interface Mood {
  /** Whether nothing goes wrong by itself any more. */
  isCalm: boolean;
}

export interface SimWorld {
  readonly mood: Mood;
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly counts: Counts;
  readonly profile: Profile;
  readonly random: SeededRandom;
  readonly network: Network;
  readonly checks: Checks;
}
