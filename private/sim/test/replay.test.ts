import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { ServerSimulation } from '../src/server/server-simulation.ts';
import { Simulation } from '../src/simulation.ts';

describe('Simulation', () => {
  test('does the same twice, byte for byte', { timeout: 60_000 }, async () => {
    const seed = seededRandom(testSeed())
      .fork('replay')
      .int(2 ** 31);
    const first: string[] = [];
    const second: string[] = [];

    const one = await Simulation.run(seed, { seconds: 10, print: (line) => void first.push(line) });
    const two = await Simulation.run(seed, { seconds: 10, print: (line) => void second.push(line) });

    expect(second).toEqual(first);
    expect(two).toEqual(one);
    expect(one.lines).toBe(first.length);
  });

  test('does something else for another seed', { timeout: 60_000 }, async () => {
    const one = await Simulation.run(1, { seconds: 2 });
    const two = await Simulation.run(2, { seconds: 2 });

    expect(two.digest).not.toBe(one.digest);
  });
});

describe('ServerSimulation', () => {
  test('does the same twice, byte for byte', { timeout: 60_000 }, async () => {
    const seed = seededRandom(testSeed())
      .fork('replay of servers')
      .int(2 ** 31);
    const first: string[] = [];
    const second: string[] = [];

    const one = await ServerSimulation.run(seed, { seconds: 20, print: (line) => void first.push(line) });
    const two = await ServerSimulation.run(seed, { seconds: 20, print: (line) => void second.push(line) });

    expect(second).toEqual(first);
    expect(two).toEqual(one);
    expect(one.lines).toBe(first.length);
  });

  test('does something else for another seed', { timeout: 60_000 }, async () => {
    const one = await ServerSimulation.run(1, { seconds: 2 });
    const two = await ServerSimulation.run(2, { seconds: 2 });

    expect(two.digest).not.toBe(one.digest);
  });
});
