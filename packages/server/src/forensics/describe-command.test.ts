import { describe, expect, test } from 'vitest';

import { encodeCommand } from '../machine/encode-command.ts';
import { describeCommand } from './describe-command.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const write = encodeCommand({
  kind: 'write',
  timeMs: 9,
  write: {
    place: { session: 300, serial: 7, settled: 5 },
    conditions: [{ kind: 'exists', key: bytes('secret'), exists: true }],
    operations: [
      { kind: 'put', key: bytes('a'), value: bytes('value') },
      { kind: 'delete-range', from: bytes('b'), to: bytes('c') },
    ],
    otherwise: [{ kind: 'delete', key: bytes('d') }],
  },
});

describe('describeCommand', () => {
  test('says what a write does, and nothing of what is in it', () => {
    const described = describeCommand(write, false);

    expect(described).toEqual({
      kind: 'write',
      timeMs: 9,
      session: 300,
      serial: 7,
      conditionCount: 1,
      operationCount: 2,
      otherwiseCount: 1,
      node: null,
      operations: null,
    });
  });

  test('shows keys when they are asked for, and never values', () => {
    const described = describeCommand(write, true);

    expect(described.operations).toEqual([
      { kind: 'put', key: '61', endKey: null },
      { kind: 'delete-range', key: '62', endKey: '63' },
      { kind: 'delete', key: '64', endKey: null },
    ]);
    expect(JSON.stringify(described)).not.toContain(Buffer.from('value').toString('hex'));
  });

  test('names the node of a change, and calls what it can not read unknown', () => {
    const drop = describeCommand(encodeCommand({ kind: 'drop-member', node: 4, timeMs: 1 }), false);
    const later = describeCommand(Uint8Array.of(99, 1), false);

    expect(drop).toMatchObject({ kind: 'drop-member', node: 4 });
    expect(later).toMatchObject({ kind: 'unknown', timeMs: null });
  });
});
