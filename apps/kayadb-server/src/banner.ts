/** What a person sees when the node is ready: where it is, what it promises, and what to type next. */

import type { Durability } from '@kayadb/engine';

export interface BannerFacts {
  readonly version: string;
  readonly nodeId: number;
  /** `host:port` of the listener. */
  readonly address: string;
  readonly directory: string;
  readonly durability: Durability;
  readonly intervalMs: number;
  readonly hasClientToken: boolean;
  /** Anyone who reaches the address can read and write. */
  readonly isOpen: boolean;
}

export function describeBanner(facts: BannerFacts): string {
  const kayactl = `corepack pnpm -s kayactl --server ${facts.address}`;
  const lines = [
    `KayaDB ${facts.version}, node ${facts.nodeId}, is ready.`,
    '',
    `  listening   ${facts.address}`,
    `  data        ${facts.directory}`,
    `  durability  ${describeDurability(facts)}`,
    `  access      ${facts.hasClientToken ? 'with the client token' : 'anyone who can connect'}`,
    '',
    ...(facts.isOpen ? ['WARNING: other machines can reach this address, and no client token is configured.', ''] : []),
    'What to type next, in another terminal:',
    ...(facts.hasClientToken ? ['  export KAYA_CLIENT_TOKEN=...'] : []),
    `  ${kayactl} put hello world`,
    `  ${kayactl} get hello`,
    `  ${kayactl} status`,
    '',
    'Ctrl-C stops it.',
    '',
  ];
  return lines.join('\n');
}

function describeDurability({ durability, intervalMs }: BannerFacts): string {
  switch (durability) {
    case 'strict':
      return 'strict: acknowledged writes survive power loss';
    case 'interval':
      return `interval: power loss may cost the writes of about the last ${intervalMs} ms`;
    case 'relaxed':
      return 'relaxed: acknowledged writes survive the end of the process, not power loss';
  }
}
