/**
 * A program: simulates clusters whose sources have one planted bug each, and says which seeds find it.
 *
 * - Names of mutants; all of them without names. `--part 1/2`: every second one, from the first on.
 * - `--seeds N`: so many seeds each, at the most (default 20), from `--seed S` on (default 1000), with `--seconds S` of faults each (default 60).
 * - `--figures FILE`: writes what came of it, after each mutant anew.
 *
 * Ends with 1 when one is not found, or only by a check that it does not name.
 */

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { mutants } from './mutants.ts';
import { describeHunt, type HuntResult, tryMutant } from './try-mutant.ts';

const { values, positionals } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    part: { type: 'string', default: '1/1' },
    figures: { type: 'string' },
  },
  allowPositionals: true,
});

const hunt = { firstSeed: Number(values.seed), seeds: Number(values.seeds), seconds: Number(values.seconds) };
const unknown = positionals.filter((name) => !mutants.some((mutant) => mutant.name === name));
if (unknown.length > 0) throw new RangeError(`there is no mutant ${unknown.join(', ')}`);
const [part, parts] = values.part.split('/').map(Number) as [number, number];
const named = positionals.length === 0 ? mutants : mutants.filter(({ name }) => positionals.includes(name));
const chosen = named.filter((_, at) => at % parts === part - 1);
const results: { readonly name: string; readonly result: HuntResult }[] = [];
for (const mutant of chosen) {
  const result = await tryMutant(mutant, hunt);
  results.push({ name: mutant.name, result });
  process.stdout.write(`${mutant.name}: ${describeHunt(result)}\n`);
  if (values.figures !== undefined) writeFigures(values.figures);
}
const missed = results.filter(({ result }) => result.kind === 'survived' || !result.isNamed);
process.stdout.write(`${chosen.length} mutants, ${missed.length} not found as they should be\n`);
process.exit(missed.length === 0 ? 0 : 1);

function writeFigures(path: string): void {
  const found = results.filter(({ result }) => result.kind === 'found').length;
  const list = results.map(({ name, result }) => ({ name, ...result }));
  writeFileSync(path, `${JSON.stringify({ ...hunt, mutants: results.length, found, list }, undefined, 2)}\n`);
}
