import { KayaError } from '@kayadb/codec';
import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { LogFields, Logger } from '../logger.ts';
import { FailureLog } from './failure-log.ts';

function collectLines(): { readonly lines: LogFields[]; readonly logger: Logger } {
  const lines: LogFields[] = [];
  const ignore = (): void => undefined;
  return { lines, logger: { debug: ignore, info: ignore, warn: ignore, error: (fields) => void lines.push(fields) } };
}

describe('FailureLog', () => {
  test('writes a line for each failure, and the whole error once a minute for each code', async () => {
    const clock = new VirtualClock();
    const { lines, logger } = collectLines();
    const log = new FailureLog(logger, clock);
    const full = new KayaError('KAYA_DISK_FULL', 'no space');

    log.write(full, { request: '1.1', address: '127.0.0.1' });
    log.write(full, { request: '1.2', address: '127.0.0.1' });
    log.write(new KayaError('KAYA_CORRUPTION', 'bad block'), { request: '1.3', address: '127.0.0.1' });
    await clock.advanceAsync(60_000);
    log.write(full, { request: '1.4', address: '127.0.0.1' });

    expect(lines.map(({ request }) => request)).toEqual(['1.1', '1.2', '1.3', '1.4']);
    expect(lines.map((line) => 'err' in line)).toEqual([true, false, true, true]);
    expect(lines[1]).toMatchObject({ code: 'KAYA_DISK_FULL', reason: 'no space' });
  });
});
