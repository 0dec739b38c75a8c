/**
 * `kill -9` of one node after the other, the leader among them, while records are imported into the cluster through one endpoint. What was acknowledged is recorded by the importing process
 * and judged by this one. An import that is through before all kills are done begins anew.
 */

import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

import { connect } from '@kayadb/client';
import { publishFigures, seededRandom, sized, testSeed, timeoutFor } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { readAcknowledged, watchAcknowledged } from './support/ack-log.ts';
import { ClusterProcesses } from './support/cluster/cluster-processes.ts';
import { readNodes } from './support/cluster/node-contents.ts';
import { type Dataset, generateDataset, packageList, packageListIsAbsent } from './support/dataset.ts';
import { type ProcessResult, startKayactl } from './support/processes.ts';

const KILLS = sized({ ci: 5, long: 30 });
/** Of the records, so many are imported. */
const RECORDS = sized({ ci: 6000, long: 63_440 });
/** A kill comes after so many acknowledgements at most. */
const MAX_ACKNOWLEDGEMENTS = sized({ ci: 500, long: 2000 });
const RESULTS = new URL('../results/', import.meta.url);

interface Import {
  readonly dataset: Dataset;
  readonly state: string;
  readonly acks: string;
}

/** Kills nodes while imports run, and lets the last one finish. */
async function importUnderKills(cluster: ClusterProcesses, { dataset, state, acks }: Import) {
  const random = seededRandom(testSeed());
  const imports: ProcessResult[] = [];
  let kills = 0;
  let killedLeaders = 0;
  while (imports.length === 0 || kills < KILLS) {
    const progress = ['--state', state, '--ack-log', acks, '--restart'];
    await using importing = startKayactl(['--server', cluster.addresses[0]!, 'import', dataset.file, ...progress], {
      deadlineMs: timeoutFor(120_000),
    });
    let isOver = false;
    const finished = importing.finished.finally(() => (isOver = true));
    while (kills < KILLS) {
      await acknowledged(acks, 1 + random.int(MAX_ACKNOWLEDGEMENTS), finished);
      if (isOver) break;
      const place = kills % cluster.nodeCount;
      if ((await cluster.findLeader()) === place) killedLeaders++;
      await cluster.kill(place);
      kills++;
      await acknowledged(acks, 1, finished);
      await cluster.start(place);
      await cluster.ready();
    }
    imports.push(await finished);
  }
  return { imports, kills, killedLeaders };
}

/** Whoever asks one node for the others is told of all from then on: members are written down by the first leader, soon after it was elected. */
async function untilAllAreKnown(cluster: ClusterProcesses): Promise<void> {
  await using client = connect(cluster.addresses);
  for (;;) {
    const { members } = await client.members();
    if (cluster.addresses.every((address) => JSON.stringify(members).includes(`"${address}"`))) return;
  }
}

/** Resolves when so many more records are acknowledged, or the import is over. */
function acknowledged(acks: string, count: number, over: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const stop = watchAcknowledged(acks, count, resolve);
    const giveUp = (): void => {
      stop();
      resolve();
    };
    over.then(giveUp, giveUp);
  });
}

/** The first records of the list, or as many that are made from the seed. */
function openDataset(file: string): Dataset {
  if (packageListIsAbsent) return generateDataset(file, testSeed(), RECORDS);
  const whole = packageList();
  if (RECORDS >= whole.lines.length) return whole;
  const lines = whole.lines.slice(0, RECORDS);
  writeFileSync(file, gzipSync(`${lines.join('\n')}\n`));
  return { ...whole, file, lines, records: new Map([...whole.records].slice(0, RECORDS)) };
}

describe('an import into three nodes through one of them', () => {
  test(
    'completes though nodes are killed one after another, and all three hold the same',
    {
      timeout: timeoutFor(240_000),
    },
    async () => {
      const startedMs = performance.now();
      await using cluster = await ClusterProcesses.start({ nodeCount: 3 });
      await untilAllAreKnown(cluster);
      const acks = cluster.folder.at('acks');
      writeFileSync(acks, '');
      const dataset = openDataset(cluster.folder.at('in.jsonl.gz'));

      const { imports, kills, killedLeaders } = await importUnderKills(cluster, {
        dataset,
        state: cluster.folder.at('state'),
        acks,
      });
      const missing = [0, 1, 2].map(() => new Set(readAcknowledged(acks)));
      const wrong: string[] = [];
      const contents = await readNodes(cluster, (place, key, value) => {
        missing[place]!.delete(key);
        if (dataset.records.get(key) !== value) wrong.push(`node ${place + 1} has ${key} with ${value}`);
      });

      expect(imports.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(
        imports.map(({ stderr }) => ({ exitCode: 0, stderr })),
      );
      expect(kills).toBe(KILLS);
      expect(missing.map(({ size }) => size)).toEqual([0, 0, 0]);
      expect(wrong).toEqual([]);
      expect(contents).toEqual(contents.map(() => ({ ...contents[0]!, rowCount: dataset.records.size })));
      expect(cluster.deaths).toEqual([]);
      publishFigures(
        'import-under-kills',
        {
          kills,
          'of the leader': killedLeaders,
          imports: imports.length,
          records: dataset.records.size,
          acknowledged: readAcknowledged(acks).size,
          'lost or different on a node': 0,
          index: contents[0]!.appliedIndex,
          hash: contents[0]!.hash,
          seconds: Math.round((performance.now() - startedMs) / 1000),
        },
        RESULTS,
      );
    },
  );
});
