/** What the command prints about the directives that differ. */

import type { Difference } from './run-script.ts';

/** `file:line: command`, then what was expected and what came. */
export function describeDifference(file: string, { directive, got }: Difference): string {
  const { line, text, input, expected } = directive;
  return `${file}:${line}: ${text}\n${indent(input)}expected:\n${indent(expected)}got:\n${indent(got)}`;
}

/** The closing line. */
export function describeTotals(directives: number, differences: number): string {
  return `${directives} directives, ${differences} differ`;
}

function indent(text: string): string {
  const lines = text.endsWith('\n') ? text.slice(0, -1) : text;
  if (lines === '') return '';
  return lines
    .split('\n')
    .map((line) => `  ${line}\n`)
    .join('');
}
