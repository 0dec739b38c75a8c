/** What a finished proof has to show for itself in numbers: on the console, and in the long run in a file. */

import { mkdirSync, writeFileSync } from 'node:fs';

import { proofSize } from './proof-size.ts';

export type Figures = Readonly<Record<string, number | string>>;

/**
 * Prints the figures, and in the long run writes them down as `<name>.json`.
 *
 * @param results - The folder for that, made where it is missing.
 */
export function publishFigures(name: string, figures: Figures, results: URL): void {
  const text = Object.entries(figures)
    .map(([what, value]) => `${what} ${typeof value === 'number' ? value.toLocaleString('en') : value}`)
    .join(', ');
  console.info(`${name}: ${text}`);
  if (proofSize !== 'long') return;
  mkdirSync(results, { recursive: true });
  writeFileSync(new URL(`${name}.json`, results), `${JSON.stringify({ name, ...figures }, undefined, 2)}\n`);
}
