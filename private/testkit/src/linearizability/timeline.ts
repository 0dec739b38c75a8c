/** Operations as bars over each other, so that it shows which overlapped. Columns stand for calls and returns in their order, not for time. */

import { describeOperation } from '../history/describe-operation.ts';
import type { Note, Operation } from '../history/operation.ts';

/** One line for each operation and note, in the order of their beginning. */
export function drawTimeline(operations: readonly Operation[], notes: readonly Note[]): string {
  const shown = [...new Set(operations)].toSorted((a, b) => a.calledUs - b.calledUs);
  const times = [
    ...notes.map(({ atUs }) => atUs),
    ...shown.flatMap(({ calledUs, returnedUs }) => (returnedUs === undefined ? [calledUs] : [calledUs, returnedUs])),
  ].toSorted((a, b) => a - b);
  const column = (us: number): number => 2 * times.indexOf(us);
  const width = 2 * times.length;
  const lines = [
    ...shown.map((operation) => ({ us: operation.calledUs, ...barOf(operation) })),
    ...notes.map(({ atUs, text }) => ({ us: atUs, bar: `${' '.repeat(column(atUs))}*`, text })),
  ].toSorted((a, b) => a.us - b.us);
  return lines.map(({ us, bar, text }) => `${milliseconds(us)}  ${bar.padEnd(width)}  ${text}`).join('\n');

  function barOf(operation: Operation): { readonly bar: string; readonly text: string } {
    const { id, client, calledUs, returnedUs, outcome } = operation;
    const isAnswered = returnedUs !== undefined && outcome?.kind !== 'unknown';
    const start = column(calledUs);
    const end = isAnswered ? column(returnedUs) : width - 1;
    const bar = `${' '.repeat(start)}|${'-'.repeat(Math.max(0, end - start - 1))}${isAnswered ? '|' : '>'}`;
    return { bar, text: `#${id} client ${client}: ${describeOperation(operation)}` };
  }
}

function milliseconds(us: number): string {
  return `${(us / 1000).toFixed(3).padStart(11)} ms`;
}
