import type { Row, Scan } from '@kayadb/engine';
import { describe, expect, test } from 'vitest';

import { MachineRowScan } from './machine-row-scan.ts';
import { userKey, userRow } from './rows.ts';

/** As many rows as are asked for, each of `valueBytes`; tells how many those were. */
function endlessScan(valueBytes: number): { readonly scan: Scan<Row>; readonly asked: () => number } {
  let count = 0;
  const row = (): Row => ({ key: userKey(Buffer.from(`k${count++}`)), value: userRow(7, new Uint8Array(valueBytes)) });
  const nextBatch = (maxRows: number): Promise<Row[]> => Promise.resolve(Array.from({ length: maxRows }, row));
  const scan: Pick<Scan<Row>, 'nextBatch' | 'return'> = {
    nextBatch,
    return: () => Promise.resolve({ done: true, value: undefined }),
  };
  return { scan: scan as Scan<Row>, asked: () => count };
}

describe('MachineRowScan', () => {
  test.each([10, 1000, 100_000, 2_000_000])(
    'reads next to nothing ahead of its pages, with values of %i bytes',
    async (valueBytes) => {
      const { scan, asked } = endlessScan(valueBytes);
      const rows = new MachineRowScan(scan, 1, false, (error) => error);
      let handedOut = 0;

      for (let i = 0; i < 5; i++) handedOut += (await rows.next(1_000_000, 1000)).rows.length;

      expect(handedOut).toBeGreaterThanOrEqual(5);
      expect(asked() - handedOut).toBeLessThan(5);
    },
  );

  test('fails for good with what its scan failed with, explained', async () => {
    const failing = { nextBatch: () => Promise.reject(new Error('low')) } as unknown as Scan<Row>;
    const rows = new MachineRowScan(failing, 1, false, () => new Error('high'));

    await expect(rows.next(1, 1)).rejects.toThrow('high');
    await expect(rows.next(1, 1)).rejects.toThrow('high');
  });
});
