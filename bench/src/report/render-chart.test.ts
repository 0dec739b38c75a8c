import { describe, expect, test } from 'vitest';

import { metricOf } from '../metrics.ts';
import { renderChart } from './render-chart.ts';
import { summariseValues } from './statistics.ts';

describe('renderChart', () => {
  test('draws an SVG with the title, every engine and its median', () => {
    const summaries = new Map([
      ['kayadb', summariseValues([1_500_000, 1_400_000, 1_600_000])],
      ['lmdb', summariseValues([300_000])],
    ] as const);

    const svg = renderChart(metricOf('fillseq'), summaries);

    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\s*$/);
    for (const text of ['fillseq, batches of 1000, no fsync', 'kayadb', '1.50 M/s', 'lmdb', '300 k/s']) {
      expect(svg).toContain(text);
    }
  });
});
