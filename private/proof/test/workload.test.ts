import { seededRandom, testSeed } from '@kayadb/testkit';
import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { contentOf, ProofWorld } from '../src/workload/proof-world.ts';
import {
  applyWrite,
  type Content,
  isWrite,
  printWorkloadOp,
  randomWorkload,
  sameContent,
  toOperations,
} from '../src/workload/workload.ts';

describe('a workload', () => {
  test('leaves in a store what its model says', async () => {
    const ops = randomWorkload(seededRandom(testSeed()), 500);
    const engine = await new ProofWorld(new MemoryFileSystem()).open();
    let model: Content = new Map();

    for (const op of ops) {
      if (!isWrite(op)) continue;
      await engine.batch(toOperations(op));
      model = applyWrite(model, op);
    }

    expect(sameContent(await contentOf(engine), model)).toBe(true);
    expect(new Set(ops.map(({ kind }) => kind)).size).toBe(8);
    await engine.close();
  });

  test('meets every kind of operation soon, and prints each on a line', () => {
    const ops = randomWorkload(seededRandom(testSeed()), 200);
    const lines = ops.map(printWorkloadOp);

    expect(new Set(ops.map(({ kind }) => kind)).size).toBe(8);
    expect(lines.every((line, i) => line.startsWith(ops[i]!.kind) && line.length < 140)).toBe(true);
    expect(lines).toContain('checkpoint {"name":"c0"}');
  });
});
