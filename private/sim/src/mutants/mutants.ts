/** All known bugs that can be put back. */

import { clientMutants } from './client-mutants.ts';
import { durabilityMutants } from './durability-mutants.ts';
import { electionMutants } from './election-mutants.ts';
import type { Mutant } from './mutant.ts';
import { replicationMutants } from './replication-mutants.ts';
import { serverMutants } from './server-mutants.ts';

export const mutants: readonly Mutant[] = [
  ...durabilityMutants,
  ...electionMutants,
  ...replicationMutants,
  ...clientMutants,
  ...serverMutants,
];
