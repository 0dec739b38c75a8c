import type { EngineEvent } from '@kayadb/engine';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';

import { logEngineEvent } from './log-engine-event.ts';

function logged(engineEvent: EngineEvent): { readonly level: number; readonly msg: string } {
  const lines: string[] = [];
  logEngineEvent(pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }), engineEvent);
  return JSON.parse(lines[0]!) as { level: number; msg: string };
}

const pass = { endedMs: 0, durationUs: 0, tableCount: 3, skippedTables: 0, unreadTables: 0, bytes: 0, damageCount: 0 };

describe('logEngineEvent', () => {
  test.each([
    ['everything was sound', {}, 30, 'the whole store was read back and is sound'],
    ['a table was not read', { unreadTables: 1 }, 40, 'the store was read back but for 1 tables; the rest is sound'],
    ['there is damage', { unreadTables: 1, damageCount: 2 }, 50, 'the store was read back, and 2 places are damaged'],
  ])('says of a scrub that %s', (_, fields, level, msg) => {
    expect(logged({ kind: 'scrubbed', ...pass, ...fields })).toMatchObject({ level, msg });
  });

  test.each([
    ['ok', 30, /room again/],
    ['low', 40, /nearly full: as a leader this node takes no puts .*; free some space or delete keys$/],
    [
      'full',
      50,
      /full: as a leader this node takes no puts, and the reserve is used up; free some space or delete keys$/,
    ],
  ] as const)('says of a disk that is %s what that means and what helps', (state, level, msg) => {
    expect(logged({ kind: 'disk-space', state, availableBytes: 1 })).toMatchObject({
      level,
      msg: expect.stringMatching(msg),
    });
  });
});
