/** `raft-state` as bytes: a header and two slots. Format: docs/format/raft-state.md. */

import { crc32c, readU32, readU64, writeU32, writeU64 } from '@kayadb/codec';

import type { NodeId, Term } from '../core/types.ts';
import { RaftCorruptionError } from '../errors.ts';
import { decodeFileHeader, encodeFileHeader, fileSeed, RAFT_HEADER_BYTES, STATE_MAGIC } from './file-header.ts';
import { STATE_FILE_NAME } from './file-names.ts';
import type { RaftIdentity } from './raft-identity.ts';

export { STATE_MAGIC } from './file-header.ts';
export { STATE_FILE_NAME } from './file-names.ts';

export const STATE_SLOT_BYTES = 32;
/** Slots are so far apart, and from the header, that no write touches the sector of another. */
export const STATE_SLOT_SPACING = 4096;
export const RAFT_STATE_BYTES = 12_288;

const SLOT_COUNT = 2;
const CRC_COVERS_FROM = 4;
const SLOT_AT = 4;
const VERSION_AT = 8;
const TERM_AT = 16;
const VOTE_AT = 24;

/** The term and the vote in it, as one of two slots has them. */
export interface VersionedVote {
  /** Counts the changes, from 1 on. */
  readonly version: number;
  readonly term: Term;
  /** 0 for none. */
  readonly vote: NodeId;
}

export interface DecodedState {
  readonly state: VersionedVote;
  readonly slot: number;
}

export function slotOffset(slot: number): number {
  return (slot + 1) * STATE_SLOT_SPACING;
}

/** A whole file, with the same in both slots. */
export function encodeStateFile(state: VersionedVote, identity: RaftIdentity): Uint8Array {
  const bytes = new Uint8Array(RAFT_STATE_BYTES);
  const header = encodeFileHeader(STATE_MAGIC, identity);
  bytes.set(header);
  for (let slot = 0; slot < SLOT_COUNT; slot++) bytes.set(encodeSlot(slot, state, fileSeed(header)), slotOffset(slot));
  return bytes;
}

export function encodeSlot(slot: number, { version, term, vote }: VersionedVote, seed: number): Uint8Array {
  const bytes = new Uint8Array(STATE_SLOT_BYTES);
  writeU32(bytes, SLOT_AT, slot);
  writeU64(bytes, VERSION_AT, version);
  writeU64(bytes, TERM_AT, term);
  writeU64(bytes, VOTE_AT, vote);
  writeU32(bytes, 0, crc32c(bytes, seed, CRC_COVERS_FROM, STATE_SLOT_BYTES));
  return bytes;
}

/**
 * What counts, and the slot that says it.
 *
 * @throws RaftCorruptionError. @throws RaftError KAYA_RAFT_FOREIGN, KAYA_RAFT_UNSUPPORTED.
 */
export function decodeStateFile(bytes: Uint8Array, identity: RaftIdentity): DecodedState {
  const { seed } = decodeFileHeader(STATE_FILE_NAME, bytes.subarray(0, RAFT_HEADER_BYTES), STATE_MAGIC, identity);
  if (bytes.length < RAFT_STATE_BYTES) {
    throw new RaftCorruptionError(
      STATE_FILE_NAME,
      bytes.length,
      `it ends here, and should have ${RAFT_STATE_BYTES} bytes`,
    );
  }
  const [first, second] = [decodeSlot(bytes, 0, seed), decodeSlot(bytes, 1, seed)];
  if (first === undefined && second === undefined) {
    throw new RaftCorruptionError(STATE_FILE_NAME, slotOffset(0), 'neither of its slots verifies');
  }
  if (first === undefined || second === undefined)
    return { state: (first ?? second)!, slot: first === undefined ? 1 : 0 };
  if (first.version === second.version && (first.term !== second.term || first.vote !== second.vote)) {
    throw new RaftCorruptionError(
      STATE_FILE_NAME,
      slotOffset(0),
      `its slots say different things in version ${first.version}`,
    );
  }
  const newer = second.version > first.version ? 1 : 0;
  const [state, older] = newer === 1 ? [second, first] : [first, second];
  if (older.term > state.term) {
    throw new RaftCorruptionError(
      STATE_FILE_NAME,
      slotOffset(newer),
      `the term goes back from ${older.term} to ${state.term}`,
    );
  }
  return { state, slot: newer };
}

/** @returns undefined when it does not verify. @throws RaftCorruptionError */
export function decodeSlot(bytes: Uint8Array, slot: number, seed: number): VersionedVote | undefined {
  const start = slotOffset(slot);
  const slotBytes = bytes.subarray(start, start + STATE_SLOT_BYTES);
  if (crc32c(slotBytes, seed, CRC_COVERS_FROM, STATE_SLOT_BYTES) !== readU32(slotBytes, 0)) return undefined;
  const state = {
    version: readU64(slotBytes, VERSION_AT),
    term: readU64(slotBytes, TERM_AT),
    vote: readU64(slotBytes, VOTE_AT),
  };
  const isSound =
    readU32(slotBytes, SLOT_AT) === slot && state.version > 0 && Object.values(state).every(Number.isSafeInteger);
  if (!isSound) throw new RaftCorruptionError(STATE_FILE_NAME, start, 'a slot verifies and makes no sense');
  return state;
}
