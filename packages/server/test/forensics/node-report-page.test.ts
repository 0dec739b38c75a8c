/** docs/reference/node-report.md describes just the fields that a report has. */

import { readFileSync } from 'node:fs';

import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { inspectNode } from '../../src/forensics/inspect-node.ts';
import type { NodeReport } from '../../src/forensics/node-report.ts';
import { makeNode, optionsFor, puts } from './node-disk.ts';

const page = readFileSync(new URL('../../../../docs/reference/node-report.md', import.meta.url), 'utf8');

/** The first column of the table under a heading. */
function namesUnder(heading: string): readonly string[] {
  const section = page.split(/^### /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  return Array.from(section.matchAll(/^\| `([^`]+)` \|/gm), ([, name]) => name!);
}

async function sampleReport(): Promise<NodeReport> {
  const fs = new MemoryFileSystem();
  await makeNode({ fs, commands: puts(3) });
  return inspectNode('/data', optionsFor(fs));
}

describe('node-report.md', () => {
  test.each([
    ['Report', (report: NodeReport): object => report],
    ['node', (report: NodeReport): object => report.node!],
    ['log', (report: NodeReport): object => report.log!],
    ['machine', (report: NodeReport): object => report.machine!],
    ['start', (report: NodeReport): object => report.start],
    ['files', (report: NodeReport): object => report.files[0]!],
  ])('has the fields of %s', async (heading, partOf) => {
    const report = await sampleReport();

    const fields = Object.keys(partOf(report)).toSorted();

    expect([...namesUnder(heading)].toSorted()).toEqual(fields);
  });
});
