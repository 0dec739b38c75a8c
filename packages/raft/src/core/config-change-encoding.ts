/** Membership changes as the data of log entries of kinds `config` and `config-v1`. Format: docs/format/raft-messages.md, "Membership changes". */

import { assert, ByteReader, ByteWriter, DecodeError } from '@kayadb/codec';

import {
  type ConfigChange,
  type ConfigChangeV1,
  type ConfigStep,
  type ConfigStepKind,
  type ConfigTransition,
  fromConfigChangeV1,
} from './config-change.ts';
import { type Entry, type EntryKind, isLocalThread } from './types.ts';

const TRANSITIONS: readonly ConfigTransition[] = ['auto', 'implicit', 'explicit'];
const STEP_KINDS: readonly ConfigStepKind[] = ['add-voter', 'remove', 'update', 'add-learner'];
const LEAST_STEP_BYTES = 2;

/** The data of an entry of kind `config`. Empty for the change that leaves a joint configuration without a context. */
export function encodeConfigChange(change: ConfigChange): Uint8Array {
  const { transition, steps, context } = change;
  const writer = new ByteWriter();
  if (transition === 'auto' && steps.length === 0 && context.length === 0) return writer.finish();
  writer.u8(TRANSITIONS.indexOf(transition));
  writer.varint(steps.length);
  for (const step of steps) writeStep(writer, step);
  writer.bytes(context);
  return writer.finish();
}

/** The data of an entry of kind `config-v1`. */
export function encodeConfigChangeV1(change: ConfigChangeV1): Uint8Array {
  const writer = new ByteWriter();
  writeStep(writer, change.step);
  writer.bytes(change.context);
  return writer.finish();
}

/**
 * The change that an entry carries; its context is a view of `data`.
 *
 * @throws DecodeError when the bytes are none.
 */
export function decodeConfigChange(kind: Exclude<EntryKind, 'normal'>, data: Uint8Array): ConfigChange {
  const reader = new ByteReader(data);
  if (kind === 'config-v1') return fromConfigChangeV1({ step: readStep(reader), context: reader.rest() });
  if (data.length === 0) return { transition: 'auto', steps: [], context: data };
  const transition = readChoice(reader, TRANSITIONS, 'the transition');
  const count = reader.varint('the number of steps');
  if (count * LEAST_STEP_BYTES > reader.remaining) {
    throw new DecodeError(`${count} steps do not fit in the ${reader.remaining} bytes that are left`, reader.offset);
  }
  const steps = Array.from({ length: count }, () => readStep(reader));
  return { transition, steps, context: reader.rest() };
}

/** As `decodeConfigChange`. Requires: a configuration entry. */
export function configChangeOf(entry: Pick<Entry, 'kind' | 'data'>): ConfigChange {
  assert(entry.kind !== 'normal', 'only a configuration entry carries a membership change');
  return decodeConfigChange(entry.kind, entry.data);
}

function writeStep(writer: ByteWriter, step: ConfigStep): void {
  writer.u8(STEP_KINDS.indexOf(step.kind));
  writer.varint(step.node);
}

function readStep(reader: ByteReader): ConfigStep {
  const kind = readChoice(reader, STEP_KINDS, 'the kind of step');
  const at = reader.offset;
  const node = reader.varint('the node of a step');
  if (isLocalThread(node)) throw new DecodeError(`the node of a step is ${node}, which is a thread's`, at);
  return { kind, node };
}

function readChoice<Choice>(reader: ByteReader, choices: readonly Choice[], what: string): Choice {
  const at = reader.offset;
  const choice = choices[reader.u8(what)];
  if (choice === undefined) throw new DecodeError(`${what} is unknown`, at);
  return choice;
}
