import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { benchmark } from '../src/benchmark.ts';
import { ENGINE_NAMES } from '../src/engines/engine-name.ts';
import { METRICS } from '../src/metrics.ts';
import { parseOptions } from '../src/options.ts';
import { renderText } from '../src/report/report.ts';
import { NO_PROGRESS } from '../src/run/run-benchmark.ts';

const TIMEOUT_MS = 300_000;

/** What an engine has no API for. */
const ABSENT: ReadonlySet<string> = new Set([
  'kayadb put-sync',
  'kayadb strict-put-sync',
  'classic-level put-sync',
  'classic-level strict-put-sync',
  'rocksdb put-sync',
  'rocksdb strict-put-sync',
  'better-sqlite3 put-awaited',
  'better-sqlite3 put-in-flight',
  'better-sqlite3 strict-put-1',
  'better-sqlite3 strict-put-64',
  'better-sqlite3 scan-for-await',
  ...['lmdb', 'rocksdb', 'better-sqlite3'].flatMap((engine) => [
    `${engine} get-p99-idle`,
    `${engine} get-p99-compacting`,
  ]),
]);

describe('the benchmark in a small size', () => {
  test(
    'gives a positive figure of every workload and engine, and writes files that parse',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'kayadb-bench-test-'));
      const out = join(folder, 'results');

      try {
        const options = parseOptions(['--smoke', '--out', out, '--data', folder]);
        const report = await benchmark(options, NO_PROGRESS);

        const { figures, gaps } = report.results;
        expect(gaps.filter(({ failed }) => failed)).toEqual([]);
        const expected = ENGINE_NAMES.flatMap((engine) => METRICS.map(({ id }) => `${engine} ${id}`));
        expect(figures.map(({ engine, metric }) => `${engine} ${metric}`).toSorted()).toEqual(
          expected.filter((name) => !ABSENT.has(name)).toSorted(),
        );
        expect(figures.filter(({ value }) => !(value > 0 && Number.isFinite(value)))).toEqual([]);

        const files = await readdir(out);
        const measured = METRICS.filter(({ id }) => figures.some(({ metric }) => metric === id));
        expect(files.toSorted()).toEqual(
          ['results.json', 'report.txt', ...measured.map(({ id }) => `${id}.svg`)].toSorted(),
        );
        expect(JSON.parse(await readFile(join(out, 'results.json'), 'utf8'))).toMatchObject({
          figures,
          machine: { node: process.version },
        });
        for (const { id } of measured) expect(await readFile(join(out, `${id}.svg`), 'utf8')).toMatch(/^<svg /);
        expect(renderText(report)).toContain(report.machine.processor);
        // Stores are gone, results stay.
        expect(await readdir(folder)).toEqual(['results']);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    TIMEOUT_MS,
  );
});
