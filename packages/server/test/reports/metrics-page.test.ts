/** docs/operating/monitoring.md and the metrics of a node, held to each other. */

import { describe, expect, test } from 'vitest';

import { ALL_METRICS, MetricRegistry } from '../../src/http/metrics/metric-registry.ts';
import { readPage, sectionOf } from '../support/read-page.ts';

const page = readPage('operating/monitoring.md');

describe('docs/operating/monitoring.md', () => {
  test('has the metrics of the program, word for word', () => {
    const documented = sectionOf(page, '## Metrics')
      .split('\n')
      .filter((line) => line.startsWith('| `'));

    const rows = ALL_METRICS.map(({ name, kind, labels, help }) => {
      const labelled = labels.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${kind} | ${labelled} | ${help} |`;
    });

    expect(documented).toEqual(rows);
  });

  test('asks in its alerts for metrics that there are', () => {
    const alerts = sectionOf(page, '## Alerts');
    const { names } = new MetricRegistry({ withProcess: true });

    const asked = [...alerts.matchAll(/\b(?:kayadb|nodejs|process)_[a-z0-9_]+/gu)].map(([name]) => name);

    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter((name) => !names.includes(name))).toEqual([]);
  });
});
