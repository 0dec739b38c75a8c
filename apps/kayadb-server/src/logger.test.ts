import { describe, expect, test } from 'vitest';

import { createLogger } from './logger.ts';

describe('createLogger', () => {
  test('writes whole lines, and syncs not even the last one', () => {
    const lines: string[] = [];
    let syncs = 0;
    const destination = {
      write: (line: string): void => void lines.push(line),
      flushSync: (): void => {
        syncs++;
      },
    };
    const logger = createLogger('info', 7, destination);

    logger.info({ event: 'a' }, 'first');
    logger.fatal({ event: 'b' }, 'last');

    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { node: 7, event: 'a', level: 'info', msg: 'first' },
      { node: 7, event: 'b', level: 'fatal', msg: 'last' },
    ]);
    expect(lines.every((line) => line.endsWith('}\n'))).toBe(true);
    expect(syncs).toBe(0);
  });
});
