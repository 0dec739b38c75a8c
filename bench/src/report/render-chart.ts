/** One bar chart for each workload: medians of all engines, with the least and most of the rounds as whiskers. */

import { createRequire } from 'node:module';

import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemReturn, ECharts } from 'echarts/types/dist/echarts';

import { type EngineName, OURS } from '../engines/engine-name.ts';
import type { Metric } from '../metrics.ts';
import { formatValue } from './format-number.ts';
import type { Summary } from './statistics.ts';

/** Through require: the types of the ES module's entry do not resolve from one. */
const { init } = createRequire(import.meta.url)('echarts') as {
  readonly init: (element: null, theme: null, options: object) => ECharts;
};

const WIDTH = 720;
const HEADER_HEIGHT = 90;
const BAR_HEIGHT = 46;
const OUR_COLOUR = '#1b7f79';
const PEER_COLOUR = '#9aa5b1';
const WHISKER_COLOUR = '#30363d';
const WHISKER_HALF_HEIGHT = 6;
const UNIT_WORDS = { higher: 'more is better', lower: 'less is better' } as const;

/** @returns An SVG document. */
export function renderChart(metric: Metric, summaries: ReadonlyMap<EngineName, Summary>): string {
  // The first category is drawn at the bottom.
  const entries = [...summaries].toReversed();
  const chart = init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: WIDTH,
    height: HEADER_HEIGHT + BAR_HEIGHT * entries.length,
  });
  // Beside the bars, where no whisker crosses it.
  const names = entries.map(([engine, { median }]) => `${engine}\n${formatValue(median, metric.unit)}`);
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: metric.title, subtext: `median, with least and most; ${UNIT_WORDS[metric.better]}` },
    grid: { left: 120, right: 40, top: 66, bottom: 24 },
    xAxis: {
      type: 'value',
      axisLabel: { formatter: (value: number) => formatValue(value, metric.unit) },
      splitNumber: 4,
    },
    yAxis: { type: 'category', data: names },
    series: [
      {
        type: 'bar',
        barWidth: '60%',
        data: entries.map(([engine, { median }]) => ({
          value: median,
          itemStyle: { color: engine === OURS ? OUR_COLOUR : PEER_COLOUR },
        })),
      },
      {
        type: 'custom',
        data: entries.map(([, { min, max }], index) => [index, min, max]),
        encode: { y: 0, x: [1, 2] },
        renderItem: (_: unknown, api: CustomSeriesRenderItemAPI) => renderWhisker(api),
      },
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

function renderWhisker(api: CustomSeriesRenderItemAPI): CustomSeriesRenderItemReturn {
  const row = api.value(0);
  const [left = 0, y = 0] = api.coord([api.value(1), row]);
  const [right = 0] = api.coord([api.value(2), row]);
  return {
    type: 'group',
    children: [
      line(left, y, right, y),
      line(left, y - WHISKER_HALF_HEIGHT, left, y + WHISKER_HALF_HEIGHT),
      line(right, y - WHISKER_HALF_HEIGHT, right, y + WHISKER_HALF_HEIGHT),
    ],
  } as CustomSeriesRenderItemReturn;
}

function line(x1: number, y1: number, x2: number, y2: number): object {
  return { type: 'line', shape: { x1, y1, x2, y2 }, style: { stroke: WHISKER_COLOUR, lineWidth: 1.5 } };
}
