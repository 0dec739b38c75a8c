/** A snapshot's transfer over a network that loses, repeats and reorders, between ends that are started again. */

import { seededRandom, type SeededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { ReceiverEffect } from '../src/node/snapshot-receiver.ts';
import type { SenderEffect } from '../src/node/snapshot-sender.ts';
import type { TransferMessage } from '../src/wire/transfer-message.ts';
import {
  CONTENTS,
  filesIn,
  isForReceiver,
  MemorySnapshot,
  openDisk,
  openReceiver,
  openSender,
  sentBy,
} from './transfer-world.ts';

interface Run {
  readonly steps: number;
  readonly rounds: number;
  readonly restarts: number;
  readonly events: readonly string[];
  readonly pins: number;
  /** The files, once they were handed over. */
  readonly found: unknown;
}

/** @param faults - Whether messages are lost, repeated and reordered, and the receiver started again, for the first 400 steps. */
async function run(random: SeededRandom, faults: boolean): Promise<Run> {
  const disk = await openDisk();
  const pinned = new MemorySnapshot();
  const sender = openSender({ pinned, retryTicks: 30, maxRetries: 1000 });
  let receiver = openReceiver(disk, 1 + random.int(40));
  const events: string[] = [];
  const inFlight: TransferMessage[] = [];
  let found: unknown;
  let rounds = 0;
  let restarts = 0;
  const take = async (effects: readonly (SenderEffect | ReceiverEffect)[]): Promise<void> => {
    for (const effect of effects) {
      if (effect.kind !== 'send') events.push(effect.kind);
      if (effect.kind === 'received') found = await filesIn(disk, effect.directory);
    }
    const messages = sentBy(effects);
    for (const message of messages) if ('round' in message) rounds = Math.max(rounds, message.round);
    inFlight.push(...messages);
  };
  await take(sender.offer());
  let steps = 0;
  for (; !sender.isOver && steps < 20_000; steps++) {
    const isFaulty = faults && steps < 400;
    if (isFaulty && random.chance(0.02)) {
      await receiver.close();
      receiver = openReceiver(disk, 1 + random.int(40));
      restarts++;
    }
    const [message] = inFlight.splice(isFaulty ? random.int(Math.min(3, inFlight.length) || 1) : 0, 1);
    if (message === undefined || random.chance(0.1)) await take(sender.tick());
    if (message === undefined || (isFaulty && random.chance(0.1))) continue;
    if (isFaulty && random.chance(0.1)) inFlight.push(message);
    await take(isForReceiver(message) ? await receiver.receive(message) : await sender.receive(message));
  }
  return { steps, rounds, restarts, events, pins: pinned.pins, found };
}

describe('a transfer', () => {
  test('takes one round where nothing goes wrong', async () => {
    const { events, rounds } = await run(seededRandom(testSeed()), false);

    expect([events, rounds]).toEqual([['received', 'delivered'], 1]);
  });

  test('arrives whole, over whatever network, once that works again', async () => {
    const random = seededRandom(testSeed());
    let rounds = 0;
    let restarts = 0;
    for (let seed = 0; seed < 200; seed++) {
      const result = await run(random.fork(`run ${seed}`), true);

      expect([seed, result.found, result.events.at(-1), result.pins]).toEqual([seed, CONTENTS, 'delivered', 0]);
      expect([seed, result.events.filter((kind) => kind === 'refused')]).toEqual([seed, []]);
      // Nothing multiplies: a few hundred messages do for a snapshot of six chunks.
      expect([seed, result.steps < 3000]).toEqual([seed, true]);
      rounds += result.rounds;
      restarts += result.restarts;
    }
    expect(rounds).toBeGreaterThan(600);
    expect(restarts).toBeGreaterThan(100);
  }, 60_000);
});
