/** A command of the log for people: what it is, without what users have put into it, unless keys are asked for. Values are never shown. */

import { DecodeError, type WriteOperation } from '@kayadb/codec';

import type { Command } from '../machine/command.ts';
import { decodeCommand } from '../machine/decode-command.ts';

export interface DescribedOperation {
  readonly kind: WriteOperation['kind'];
  /** In hexadecimal. */
  readonly key: string;
  /** Of a range delete; empty: none. */
  readonly endKey: string | null;
}

export interface DescribedCommand {
  /** `unknown`: no command that this program knows. */
  readonly kind: Command['kind'] | 'unknown';
  /** Milliseconds since 1970. */
  readonly timeMs: number | null;
  readonly session: number | null;
  readonly serial: number | null;
  readonly conditionCount: number;
  readonly operationCount: number;
  readonly otherwiseCount: number;
  /** Whom a change of a member is about. */
  readonly node: number | null;
  /** `null` unless keys were asked for. */
  readonly operations: readonly DescribedOperation[] | null;
}

const NOTHING: DescribedCommand = {
  kind: 'unknown',
  timeMs: null,
  session: null,
  serial: null,
  conditionCount: 0,
  operationCount: 0,
  otherwiseCount: 0,
  node: null,
  operations: null,
};

/** @returns A description for any bytes whatever. */
export function describeCommand(data: Uint8Array, showKeys: boolean): DescribedCommand {
  try {
    return describe(decodeCommand(data), showKeys);
  } catch (error) {
    if (error instanceof DecodeError) return NOTHING;
    throw error;
  }
}

function describe(command: Command, showKeys: boolean): DescribedCommand {
  const { kind, timeMs } = command;
  const common = { ...NOTHING, kind, timeMs };
  switch (command.kind) {
    case 'write': {
      const { place, conditions, operations, otherwise } = command.write;
      return {
        ...common,
        session: place?.session ?? null,
        serial: place?.serial ?? null,
        conditionCount: conditions.length,
        operationCount: operations.length,
        otherwiseCount: otherwise.length,
        operations: showKeys ? [...operations, ...otherwise].map(describeOperation) : null,
      };
    }
    case 'close-session':
    case 'touch':
      return { ...common, session: command.session ?? null };
    case 'put-member':
      return { ...common, node: command.member.node };
    case 'drop-member':
      return { ...common, node: command.node };
    case 'open-session':
    case 'raise-level':
      return common;
  }
}

function describeOperation(operation: WriteOperation): DescribedOperation {
  if (operation.kind !== 'delete-range') return { kind: operation.kind, key: hex(operation.key), endKey: null };
  return { kind: operation.kind, key: hex(operation.from), endKey: hex(operation.to) };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
