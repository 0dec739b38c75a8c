export { assertRaftInvariants } from '../core/invariants.ts';
export { MemoryLogStorage } from './memory-log-storage.ts';
export { configChangeOf } from '../core/config-change-encoding.ts';
export { describeConfiguration, describeProgress, describeSteps } from '../core/describe-configuration.ts';
export { changeSimply, enterJoint, leaveJoint, type MembershipResult } from '../core/membership.ts';
export { ProgressTracker } from '../core/progress-tracker.ts';
export { committedIndex, majorityIndex, majorityVote, type MatchSource, voteResult } from '../core/quorum.ts';
export { viewProgress } from '../core/status.ts';
