/** `kayactl --data` on the directory of a node that was killed: what it foretells is what the next start does, what it reads is what was acknowledged, and it touches nothing. */

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { NodeReport } from '@kayadb/server';
import { describe, expect, test } from 'vitest';

import { flip, writeEvidence } from './support/evidence.ts';
import { takePicture } from './support/folder-picture.ts';
import { kayactl, runKayactl } from './support/processes.ts';
import { dryRunNode } from './support/recovery.ts';
import { openFolder } from './support/repository.ts';
import { ServerProcess } from './support/server-process.ts';

const TIMEOUT_MS = 120_000;
/** Of a line of `kayactl export`. */
const ROWS = 40;

/** Leaves the directory of a node that was killed, started again and killed again, with `ROWS` rows from each life: so its log has a segment that is closed. */
async function writeKilledNode(data: string): Promise<void> {
  for (const life of ['first', 'second']) {
    await using node = await ServerProcess.start(data);
    await using client = node.connect();
    for (let row = 0; row < ROWS; row++) await client.put(`${life}/${row}`, `value of ${row}`.padEnd(200, '.'));
    await node.kill();
  }
}

async function rowsOf(...argv: readonly string[]): Promise<readonly string[]> {
  return (await kayactl(...argv, 'scan')).split('\n').slice(0, -1);
}

/** The segment with the rows of the first life. */
function closedSegment({ files }: NodeReport): string {
  return files.find(({ kind, entryCount }) => kind === 'raft-log' && (entryCount ?? 0) > ROWS)!.name;
}

describe('the directory of a node that was killed', { timeout: TIMEOUT_MS }, () => {
  test('is called clean, read and verified without a trace, and then does what was foretold', async () => {
    using folder = openFolder();
    const data = folder.at('data');
    await writeKilledNode(data);
    const before = takePicture(data);

    const { exitCode, report } = await dryRunNode(data);
    const stored = await rowsOf('--data', data);
    const verified = await runKayactl(['--data', data, 'verify']);
    const plan = await runKayactl(['--data', data, 'recover', '--plan']);
    const after = takePicture(data);
    await using node = await ServerProcess.start(data);
    const served = await rowsOf('--server', node.address);

    const { start, log } = report;
    const { applied, commit, last } = node.event('raft.core-created');
    expect({ exitCode, verdict: report.verdict, damage: report.damage }).toEqual({
      exitCode: 0,
      verdict: 'clean',
      damage: [],
    });
    expect([verified.exitCode, plan.exitCode]).toEqual([0, 0]);
    expect(after).toEqual(before);
    expect({ applied, last: (last as { readonly index: number }).index }).toEqual({
      applied: start.appliedIndex,
      last: log?.lastIndex,
    });
    // Alone, it decides over all that its log has, whatever commit index was written down.
    expect(commit).toBeLessThanOrEqual(log!.commit);
    expect({ commit: log?.commit, undecided: start.entriesUndecided }).toEqual({
      commit: log?.lastIndex,
      undecided: 0,
    });
    expect(start.entriesReplayed).toBeGreaterThan(2 * ROWS - 1);
    expect(stored).toHaveLength(2 * ROWS);
    expect(served).toEqual(stored);
    expect(start.removed.filter((name) => existsSync(join(data, name)))).toEqual([]);
  });

  test.each<[string, (report: NodeReport) => { readonly name: string; readonly at: number }]>([
    ['its log', (report) => ({ name: closedSegment(report), at: 5000 })],
    ['NODE', () => ({ name: 'NODE', at: 20 })],
  ])(
    'that has a flipped byte in %s is refused by a start as foretold, with file and offset and 3',
    async (_what, place) => {
      using folder = openFolder();
      const data = folder.at('data');
      await writeKilledNode(data);
      const { name, at } = place((await dryRunNode(data)).report);
      flip(data, name, at);
      const before = takePicture(data);

      const { exitCode, report } = await dryRunNode(data);
      const planned = await runKayactl(['--data', data, 'recover', '--plan']);
      const read = await runKayactl(['--data', data, 'get', 'first/1']);
      const after = takePicture(data);
      const started = await ServerProcess.startAndFail(data);

      expect({ exitCode, verdict: report.verdict }).toEqual({ exitCode: 3, verdict: 'corrupt' });
      const { outcome, file, offset } = report.start;
      expect({ outcome, file }).toEqual({ outcome: 'refused', file: name });
      expect(offset).toBeLessThanOrEqual(at);
      expect(report.damage[0]).toMatchObject({ file, offset });
      expect(planned).toMatchObject({ exitCode: 3, stdout: expect.stringContaining(name) });
      for (const { exitCode: status, stderr } of [read, started]) {
        expect(status).toBe(3);
        expect(stderr).toMatch(new RegExp(`^ERROR: .*${name.split('/').at(-1)}.* ${offset}\\b.*\\nHINT: `, 'm'));
      }
      expect(after).toEqual(before);
    },
  );

  test('that has lost a piece of its log is salvaged into a store, of which no row is wrong', async () => {
    using folder = openFolder();
    const data = folder.at('data');
    await writeKilledNode(data);
    const whole = await rowsOf('--data', data);
    const { report } = await dryRunNode(data);
    rmSync(join(data, closedSegment(report)));

    const refused = await ServerProcess.startAndFail(data);
    const before = takePicture(data);
    const salvaged = await runKayactl([
      '--data',
      data,
      'recover',
      '--salvage',
      '--log',
      'none',
      '--out',
      folder.at('out'),
    ]);

    const saved = await rowsOf('--data', folder.at('out'));
    expect(refused.exitCode).toBe(3);
    expect(salvaged).toMatchObject({ exitCode: 0, stderr: '' });
    expect(saved.filter((row) => !whole.includes(row))).toEqual([]);
    expect(takePicture(data)).toEqual(before);
  });
});

describe('a store of the embedded engine', { timeout: TIMEOUT_MS }, () => {
  test('is refused by a node, which names the way over, and goes over on it', async () => {
    using folder = openFolder();
    const old = folder.at('old');
    await writeEvidence(old);
    const before = takePicture(old);

    const refused = await ServerProcess.startAndFail(old);
    const after = takePicture(old);
    await kayactl('--data', old, 'export', folder.at('rows.jsonl'));
    await using node = await ServerProcess.start(folder.at('new'));
    await kayactl('--server', node.address, 'import', folder.at('rows.jsonl'));
    await kayactl('--server', node.address, 'export', folder.at('again.jsonl'));

    expect(refused).toMatchObject({
      exitCode: 4,
      stderr: expect.stringMatching(
        /^ERROR: .* is a store of the embedded engine; .*\nHINT: kayactl --data OLD export/m,
      ),
    });
    expect({ ...after, '.': '' }).toEqual({ ...before, '.': '' });
    expect(readFileSync(folder.at('again.jsonl'))).toEqual(readFileSync(folder.at('rows.jsonl')));
  });
});
