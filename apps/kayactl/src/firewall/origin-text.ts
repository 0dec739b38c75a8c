/** What a file of rules says about itself: of which cluster it is, as of when, and whom it lets in. */

import type { FirewallPlan } from './firewall-plan.ts';

export function describeOrigin({
  cluster,
  index,
  members,
  rules: [, clients, metrics],
}: FirewallPlan): readonly string[] {
  const nodes = members.map(({ node, address }) => `${node} at ${address.text}`).join(', ');
  const open = [clients, metrics].filter(({ others }) => others.length === 0).map(({ name }) => name);
  return [
    `Made by "kayactl firewall" for cluster ${cluster}, members as of index ${index}: ${nodes}.`,
    'The same on every machine of the cluster. Make it again after a member was added or removed.',
    ...open.map((name) => `Nobody but members reaches the port for ${name}: --${name} NETWORK lets others in.`),
  ];
}
