/** What is imported: the package list of a Debian release where it is at hand, and records made from a seed everywhere. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

import { seededRandom } from '@kayadb/testkit';

import { ROOT } from './repository.ts';

const PACKAGE_LIST = join(ROOT, '../shared/data/debian-packages.jsonl.gz');
const PACKAGE_COUNT = 63_440;

/** Outside of a pipeline, a clone alone has no package list; a pipeline must have it. */
export const packageListIsAbsent = !existsSync(PACKAGE_LIST) && process.env['CI'] !== 'true';

/** Records in the order of the input. */
export interface Dataset {
  readonly name: string;
  /** JSON Lines, packed with gzip. */
  readonly file: string;
  /** Lines of the file, without line feeds. */
  readonly lines: readonly string[];
  readonly records: ReadonlyMap<string, string>;
}

/** The real input. @throws Error when it is not at hand or not what it should be. */
export function packageList(): Dataset {
  const dataset = readDataset('the package list', PACKAGE_LIST);
  if (dataset.records.size !== PACKAGE_COUNT) {
    throw new Error(`${PACKAGE_LIST} has ${dataset.records.size} records, expected ${PACKAGE_COUNT}`);
  }
  return dataset;
}

/** The first `count` records, in a file of their own. */
export function beginningOf({ name, lines }: Dataset, count: number, file: string): Dataset {
  writeFileSync(file, gzipSync(`${lines.slice(0, count).join('\n')}\n`));
  return readDataset(`the first ${count} records of ${name}`, file);
}

/** Writes `count` records of about 700 bytes to `file`. Nine keys begin with `deb/zsh`, as in the real list. */
export function generateDataset(file: string, seed: number, count: number): Dataset {
  const random = seededRandom(seed);
  const keys = Array.from({ length: count }, (_, i) =>
    i < 9 ? `deb/zsh-${i}/amd64` : `deb/p${random.int(1_000_000)}-${i}/${random.pick(['amd64', 'all'])}`,
  );
  const lines = random.shuffle(keys).map((key) => {
    const words = Array.from({ length: 100 + random.int(70) }, () => random.int(0xff_ffff).toString(36));
    return JSON.stringify({ key, value: `${random.pick(['Żółw', 'λ', '"\\\n', 'plain'])} ${words.join(' ')}` });
  });
  writeFileSync(file, gzipSync(`${lines.join('\n')}\n`));
  return readDataset('generated records', file);
}

function readDataset(name: string, file: string): Dataset {
  const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n');
  const records = new Map(
    lines.map((line) => {
      const { key, value } = JSON.parse(line) as { readonly key: string; readonly value: string };
      return [key, value];
    }),
  );
  return { name, file, lines, records };
}

/** Sorts lines `{"key":...}` by the bytes of their keys. */
export function sortedByKey(lines: readonly string[]): readonly string[] {
  return lines
    .map((line) => ({ line, key: Buffer.from((JSON.parse(line) as { readonly key: string }).key) }))
    .toSorted((a, b) => Buffer.compare(a.key, b.key))
    .map(({ line }) => line);
}

/** The lines of an exported file. */
export function readLines(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  return text === '' ? [] : text.trimEnd().split('\n');
}
