/** What a node tells of itself, made by whoever knows: the front doors only hand it on. */

import type { HEALTH_ROLES } from '@kayadb/codec';

export interface NodeReports {
  role(): (typeof HEALTH_ROLES)[number];
  /** Where clients reach the leader; undefined when it is not known. */
  leaderAddress(): string | undefined;
  /** STATUS, a JSON document. */
  status(): string | Promise<string>;
  /** MEMBERS, a JSON document. */
  members(): string | Promise<string>;
  /** STATS of protocol v1, a JSON document. */
  stats(): string | Promise<string>;
}
