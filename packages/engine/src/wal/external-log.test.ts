import { describe, expect, test } from 'vitest';

import { ExternalLog } from './external-log.ts';

describe('ExternalLog', () => {
  test('holds nothing, has no segment, and makes nothing durable', async () => {
    const log = new ExternalLog();

    const end = log.append();
    await log.sync();
    await log.prepare();
    const segment = await log.rotate();
    await log.release();
    await log.close();

    expect([end, log.endLsn, segment, log.fileNumber]).toEqual([0, 0, 0, 0]);
    expect(log.durableLsn).toBeLessThan(end);
  });
});
