/** What everything in one run of whole servers shares. */

import type { SeededRandom } from '@kayadb/testkit';
import type { FakeProcessWorld } from '@kayadb/vfs/testing';

import type { Timeline } from '../world/timeline.ts';
import type { Trace } from '../world/trace.ts';
import type { ServerChecks } from './server-checks.ts';
import type { ServerCounts } from './server-counts.ts';
import type { ServerProfile } from './server-profile.ts';
import type { SimTcp } from './sim-tcp.ts';

export interface ServerWorld {
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly counts: ServerCounts;
  readonly profile: ServerProfile;
  readonly random: SeededRandom;
  readonly tcp: SimTcp;
  readonly checks: ServerChecks;
  readonly processes: FakeProcessWorld;
}
