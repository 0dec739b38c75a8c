/** docs/reference/server.md and the documents that a node makes, held to each other. */

import { describe, expect, test } from 'vitest';

import { NodeReporter } from '../../src/reports/node-reporter.ts';
import { plainView } from '../support/plain-view.ts';
import { readPage, sectionOf } from '../support/read-page.ts';

type Json = Record<string, unknown>;

const reporter = new NodeReporter({ view: () => plainView() });
const [member] = (JSON.parse(reporter.members()) as { members: readonly Json[] }).members;
const MEMBER_FIELDS = Object.keys(member!);

describe('docs/reference/server.md', () => {
  const page = readPage('reference/server.md');

  /** Words in backticks of the first cells of all tables under a heading. */
  function documented(heading: string): readonly string[] {
    const cells = [...sectionOf(page, `## ${heading}`).matchAll(/^\| (`[^|]*) \|/gmu)].map(([, cell]) => cell!);
    return cells.flatMap((cell) => [...cell.matchAll(/`([a-z0-9_]+)`/gu)].map(([, name]) => name!));
  }

  test.each([
    ['STATUS', reporter.status(), []],
    ['MEMBERS', reporter.members(), MEMBER_FIELDS],
    ['STATS', reporter.stats(), []],
  ] as const)('has every field of %s, and none else', (heading, document, rows) => {
    const fields = [...Object.keys(JSON.parse(document) as Json), ...rows];

    expect([...new Set(documented(heading))].toSorted()).toEqual([...new Set(fields)].toSorted());
  });

  test('names every field inside those of STATUS', () => {
    const { engine, ...status } = JSON.parse(reporter.status()) as Json;
    const section = sectionOf(page, '## STATUS');
    const parts = ['raft', 'door', 'storage', 'tls', 'access', 'settings', 'links'].map((name) => status[name]);

    const names = parts.flatMap((part) => namesIn(part)).filter((name) => !section.includes(`\`${name}\``));

    expect(engine).not.toBeNull();
    expect(names).toEqual([]);
  });
});

function namesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [name, ...namesIn(each)]);
}
