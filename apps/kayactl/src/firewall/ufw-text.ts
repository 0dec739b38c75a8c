/**
 * A plan as commands for ufw(8). The rules are in one list with all others and know each other by a comment, so those of the time before are taken out first; meanwhile the ports are as the rest of the list has them.
 */

import { type FirewallPlan, type PortRule, sourcesOf } from './firewall-plan.ts';
import { describeOrigin } from './origin-text.ts';

/** The last one first, since the numbers behind a rule that goes away change. */
const TAKE_OUT = String.raw`while rule=$(ufw status numbered | sed -n 's/^\[ *\([0-9]*\)\].*# kayadb .*/\1/p' | tail -n 1) && [ -n "$rule" ]; do
  ufw --force delete "$rule"
done`;

/** A shell script; ends with a line feed. */
export function describeUfw(plan: FirewallPlan): string {
  return [
    '#!/bin/sh',
    ...describeOrigin(plan).map((line) => `# ${line}`),
    'set -eu',
    TAKE_OUT,
    ...plan.rules.filter(({ ports }) => ports.length > 0).flatMap((rule) => describeRule(plan, rule)),
    '',
  ].join('\n');
}

function describeRule(plan: FirewallPlan, rule: PortRule): readonly string[] {
  const to = `to any port ${rule.ports.join(',')} comment 'kayadb ${rule.name}'`;
  const sources = [...sourcesOf(plan, rule, 4), ...sourcesOf(plan, rule, 6)];
  return [...sources.map((source) => `ufw allow proto tcp from ${source} ${to}`), `ufw deny proto tcp from any ${to}`];
}
