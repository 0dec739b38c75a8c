import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { createHistoryFile, formatHistory, parseHistory, readHistoryFile } from './history-file.ts';
import { HistoryRecorder } from './history-recorder.ts';
import { plainWrite, type ReadAction } from './operation.ts';

const GET: ReadAction = { kind: 'read', keys: ['x'] };
const PUT = plainWrite({ kind: 'put', key: 'x', value: 'a' });

describe('HistoryRecorder', () => {
  test('stamps calls before they run and answers after, each later than all before', async () => {
    let nowMs = 10;
    const recorder = new HistoryRecorder({ now: () => nowMs });

    const write = recorder.write(1, PUT, async () => ({ kind: 'written', revision: 3 }));
    const read = recorder.read(2, GET, async () => ({ kind: 'rows', rows: [null] }));
    await write;
    nowMs = 12;
    recorder.note('kill -9 node 1');
    await read;

    expect(recorder.history()).toEqual({
      operations: [
        { id: 1, client: 1, action: PUT, calledUs: 0, returnedUs: 2, outcome: { kind: 'written', revision: 3 } },
        { id: 2, client: 2, action: GET, calledUs: 1, returnedUs: 3, outcome: { kind: 'rows', rows: [null] } },
      ],
      notes: [{ atUs: 2000, text: 'kill -9 node 1' }],
    });
  });

  test('leaves an operation that fails without an outcome', async () => {
    const recorder = new HistoryRecorder({ now: () => 0 });

    const failed = recorder.write(1, PUT, () => Promise.reject(new Error('odd')));

    await expect(failed).rejects.toThrow('odd');
    expect(recorder.history().operations).toEqual([{ id: 1, client: 1, action: PUT, calledUs: 0 }]);
  });
});

describe('a history file', () => {
  test('holds what was recorded, also when the run was cut short in the middle of a line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kayadb-history-'));
    const path = join(folder, 'run.jsonl');
    const file = createHistoryFile(path);
    const recorder = new HistoryRecorder({ now: () => 0, onEvent: (event) => file.append(event) });

    recorder.note('begin');
    await recorder.write(1, PUT, async () => ({ kind: 'unknown', reason: 'lost' }));
    void recorder.read(2, GET, () => new Promise(() => {}));
    file[Symbol.dispose]();
    const read = readHistoryFile(path);
    writeFileSync(path, `${readFileSync(path, 'utf8')}{"event":"ret`);
    const torn = readHistoryFile(path);
    rmSync(folder, { recursive: true });

    expect(read).toEqual(recorder.history());
    expect(torn).toEqual(read);
    expect(parseHistory(formatHistory(read))).toEqual(read);
  });

  test.each([
    ['x\n', 'line 1 is not JSON'],
    ['{"event":"call"}\n', 'line 1 is not an event of a history: {"event":"call"}'],
    ['{"event":"return","us":1,"id":4}\n', 'line 1: operation 4 was not called'],
  ])('that is %j is refused', (text, message) => {
    expect(() => parseHistory(text)).toThrow(new SyntaxError(message));
  });
});
