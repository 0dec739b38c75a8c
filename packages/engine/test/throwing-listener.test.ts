// A listener that threw ended the step that told it: opening failed, a flush poisoned the store, and a write that was told to slow down
// could stay in the log without being applied, so that the next one got its sequence number.

import { expect, test } from 'vitest';

import { openTestEngine, testWorld, tinyOptions } from './support/open-test-engine.ts';

test('a listener that throws disturbs neither writes nor background work', async () => {
  const world = testWorld();
  let told = 0;
  const throwing = (): never => {
    told++;
    throw new Error('no');
  };
  const engine = await openTestEngine(world, { ...tinyOptions, durability: 'relaxed', onEvent: throwing });

  for (let i = 0; i < 200; i++) await engine.put(`k${i}`, 'v'.repeat(100));
  await engine.flush();
  await engine.compact();
  await engine.close();

  await using again = await openTestEngine(world, { onEvent: throwing });
  let count = 0;
  for await (const _ of again.keys()) count++;
  expect(count).toBe(200);
  expect(told).toBeGreaterThan(4);
});
