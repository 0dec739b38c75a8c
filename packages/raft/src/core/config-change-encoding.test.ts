/** Membership changes as bytes: what is written is read, and any bytes are a change or an error. */

import { DecodeError } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import {
  configChangeOf,
  decodeConfigChange,
  encodeConfigChange,
  encodeConfigChangeV1,
} from './config-change-encoding.ts';
import { type ConfigChange, type ConfigStep, fromConfigChangeV1 } from './config-change.ts';
import { APPLY_THREAD } from './types.ts';

const random = seededRandom(testSeed()).fork('config-change');
/** Bound: on a machine with much else to do. */
const TIMEOUT_MS = 60_000;

function someStep(): ConfigStep {
  return {
    kind: random.pick(['add-voter', 'add-learner', 'remove', 'update']),
    node: random.pick([0, 1, 127, 128, 2 ** 53 - 3]),
  };
}

function someChange(): ConfigChange {
  return {
    transition: random.pick(['auto', 'implicit', 'explicit']),
    steps: Array.from({ length: random.int(4) }, someStep),
    context: random.bytes(random.int(3)),
  };
}

function outcomeOf(kind: 'config' | 'config-v1', bytes: Uint8Array): 'change' | 'error' {
  try {
    decodeConfigChange(kind, bytes);
    return 'change';
  } catch (error) {
    if (error instanceof DecodeError) return 'error';
    throw error;
  }
}

describe('a membership change', () => {
  test(`is read as it was written (seed ${testSeed()})`, () => {
    for (let round = 0; round < 500; round++) {
      const change = someChange();
      const changeV1 = { step: someStep(), context: random.bytes(random.int(3)) };

      expect(decodeConfigChange('config', encodeConfigChange(change))).toEqual(change);
      expect(decodeConfigChange('config-v1', encodeConfigChangeV1(changeV1))).toEqual(fromConfigChangeV1(changeV1));
    }
  });

  test('takes no bytes when it only leaves a joint configuration', () => {
    const leave: ConfigChange = { transition: 'auto', steps: [], context: new Uint8Array() };

    expect(encodeConfigChange(leave)).toHaveLength(0);
    expect(configChangeOf({ kind: 'config', data: new Uint8Array() })).toEqual(leave);
  });

  test('has the bytes that docs/format/raft-messages.md gives as an example', () => {
    const steps: readonly ConfigStep[] = [
      { kind: 'add-voter', node: 300 },
      { kind: 'remove', node: 2 },
    ];

    const bytes = encodeConfigChange({ transition: 'explicit', steps, context: Uint8Array.of(0x78) });
    const bytesV1 = encodeConfigChangeV1({ step: { kind: 'add-learner', node: 4 }, context: new Uint8Array() });

    expect(Buffer.from(bytes).toString('hex')).toBe('020200ac02010278');
    expect(Buffer.from(bytesV1).toString('hex')).toBe('0304');
  });

  test(`is refused, or read, and nothing else, of any bytes (seed ${testSeed()})`, { timeout: TIMEOUT_MS }, () => {
    const outcomes = { change: 0, error: 0 };
    for (let round = 0; round < 20_000; round++) {
      const bytes = random.bytes(random.int(12)).map((byte) => (random.chance(0.7) ? byte % 5 : byte));

      outcomes[outcomeOf(random.pick(['config', 'config-v1']), bytes)]++;
    }

    expect(outcomes.change).toBeGreaterThan(1000);
    expect(outcomes.error).toBeGreaterThan(1000);
  });

  test('is refused when it claims more steps than there are bytes for', () => {
    const bytes = Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1);

    expect(() => decodeConfigChange('config', bytes)).toThrow('steps do not fit');
  });

  test('is refused when it is about a thread of a node', () => {
    const bytes = encodeConfigChangeV1({ step: { kind: 'add-voter', node: APPLY_THREAD }, context: new Uint8Array() });

    expect(() => decodeConfigChange('config-v1', bytes)).toThrow("which is a thread's");
  });
});
