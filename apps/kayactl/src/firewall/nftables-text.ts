/**
 * A plan as a file for nft(8). It has a table of its own and replaces it in one step, so that at no time packets meet half of the rules, and what else is in the firewall stays as it is.
 */

import { type FirewallPlan, type PortRule, sourcesOf } from './firewall-plan.ts';
import { describeOrigin } from './origin-text.ts';

const VERSIONS = [
  { version: 4, keyword: 'ip', type: 'ipv4_addr' },
  { version: 6, keyword: 'ip6', type: 'ipv6_addr' },
] as const;

/** Ends with a line feed. */
export function describeNftables(plan: FirewallPlan): string {
  const rules = plan.rules.filter(({ ports }) => ports.length > 0);
  return [
    '#!/usr/sbin/nft -f',
    ...describeOrigin(plan).map((line) => `# ${line}`),
    'table inet kayadb',
    'delete table inet kayadb',
    'table inet kayadb {',
    ...rules.flatMap((rule) => describeSets(plan, rule)),
    '\tchain input {',
    '\t\ttype filter hook input priority filter; policy accept;',
    '\t\tiif "lo" accept',
    ...rules.flatMap((rule) => describeRule(plan, rule)),
    '\t}',
    '}',
    '',
  ].join('\n');
}

function describeSets(plan: FirewallPlan, rule: PortRule): readonly string[] {
  return VERSIONS.flatMap(({ version, type }) => {
    const sources = sourcesOf(plan, rule, version);
    if (sources.length === 0) return [];
    return [
      `\tset ${rule.name}${version} {`,
      `\t\ttype ${type}`,
      '\t\tflags interval',
      '\t\tauto-merge',
      `\t\telements = { ${sources.join(', ')} }`,
      '\t}',
    ];
  });
}

/** What is not accepted here goes no further; what is, goes on to the other tables. */
function describeRule(plan: FirewallPlan, rule: PortRule): readonly string[] {
  const ports = `tcp dport { ${rule.ports.join(', ')} }`;
  const accepted = VERSIONS.flatMap(({ version, keyword }) =>
    sourcesOf(plan, rule, version).length === 0 ? [] : [`${ports} ${keyword} saddr @${rule.name}${version} accept`],
  );
  return [...accepted, `${ports} drop`].map((line) => `\t\t${line}`);
}
