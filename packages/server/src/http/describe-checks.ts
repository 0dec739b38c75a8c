/** Checks as text, in the way of Kubernetes: a line for each, and a last one that says how it ended. */

import { type Check, type CheckState, isReady } from './health-checks.ts';

const SIGNS: Readonly<Record<CheckState, string>> = { ok: '[+]', warning: '[!]', failed: '[-]' };

/** Without a line feed at its end. */
export function describeChecks(checks: readonly Check[]): string {
  const lines = checks.map(({ name, state, detail }) => `${SIGNS[state]}${name} ${state}: ${oneLine(detail)}`);
  return [...lines, `readyz check ${isReady(checks) ? 'passed' : 'failed'}`].join('\n');
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/gu, ' ');
}
