import { describe, expect, test } from 'vitest';

import type { MemberRow } from '../cluster/member-list.ts';
import { type FirewallPlan, type FirewallSettings, planFirewall } from './firewall-plan.ts';
import { describeNftables } from './nftables-text.ts';
import { parseSourceNetwork, type SourceNetwork } from './source-network.ts';
import { describeUfw } from './ufw-text.ts';

const network = (text: string): SourceNetwork => parseSourceNetwork(text)!;

function row(node: number, host: string | undefined, peerPort = 7481, clientPort = 7379): MemberRow {
  return {
    node,
    kind: 'voter',
    isLeader: false,
    isSelf: false,
    peerAddress: host === undefined ? undefined : `${host}:${peerPort}`,
    clientAddress: host === undefined ? undefined : `${host}:${clientPort}`,
    isToBePromoted: false,
    isAnswering: undefined,
    lag: undefined,
    state: undefined,
  };
}

function plan(members: readonly MemberRow[], settings: Partial<FirewallSettings> = {}): FirewallPlan {
  const none = { addresses: new Map(), clients: [], metrics: [], metricsPort: 9090 };
  return planFirewall({ cluster: 'abcd', index: 42, members }, { ...none, ...settings });
}

describe('planFirewall', () => {
  test('lets members reach everything, and others what they are named for, but never the port for nodes', () => {
    const made = plan([row(2, '10.0.0.2'), row(1, '10.0.0.1')], { clients: [network('10.1.0.0/16')] });

    expect(made.members.map(({ node, address }) => [node, address.text])).toEqual([
      [1, '10.0.0.1'],
      [2, '10.0.0.2'],
    ]);
    expect(made.rules).toEqual([
      { name: 'nodes', ports: [7481], others: [] },
      { name: 'clients', ports: [7379], others: [network('10.1.0.0/16')] },
      { name: 'metrics', ports: [9090], others: [] },
    ]);
  });

  test('takes what the operator says for what the cluster says, and for nodes that are to be added', () => {
    const made = plan([row(1, 'db1.example'), row(2, undefined), row(3, '127.0.0.1')], {
      addresses: new Map([
        [4, network('10.0.0.4')],
        [1, network('10.0.0.1')],
        [2, network('fd00::2')],
        [3, network('10.0.0.3')],
      ]),
    });

    expect(made.members.map(({ address }) => address.text)).toEqual(['10.0.0.1', 'fd00::2', '10.0.0.3', '10.0.0.4']);
  });

  test.each([
    [row(3, 'db3.example'), 'node 3 is known by the name db3.example'],
    [row(3, undefined), 'the address of node 3 is not known'],
    [row(3, '127.0.0.1'), 'node 3 is known as 127.0.0.1'],
    [row(3, '[::1]'), 'node 3 is known as ::1'],
    [row(3, '10.0.0.3', 7379, 7400), 'port 7379 is that for nodes on one machine'],
    [row(3, '10.0.0.3', 9090), 'port 9090 is that for nodes on one machine'],
  ])('refuses a member of which no right rule can be made', (member, sentence) => {
    expect(() => plan([row(1, '10.0.0.1'), member])).toThrow(sentence);
  });

  test('knows the ports of machines that differ', () => {
    const [nodes, clients] = plan([row(1, '10.0.0.1', 8000, 9000), row(2, '10.0.0.2'), row(3, '10.0.0.3')]).rules;

    expect([nodes.ports, clients.ports]).toEqual([
      [7481, 8000],
      [7379, 9000],
    ]);
  });
});

describe('parseSourceNetwork', () => {
  test.each(['10.0.0.1', '10.0.0.0/8', '0.0.0.0/0', 'fd00::1', 'fd00::/8', '::/0'])('takes %s', (text) => {
    expect(parseSourceNetwork(text)?.text).toBe(text);
  });

  test.each(['', 'db.example', '10.0.0', '10.0.0.1/33', 'fd00::/129', 'fe80::1%eth0', '10.0.0.1/', '10.0.0.1; reboot'])(
    'refuses %j',
    (text) => {
      expect(parseSourceNetwork(text)).toBeUndefined();
    },
  );
});

const mixed = plan([row(1, '10.0.0.1'), row(2, '[fd00::2]'), row(3, '10.0.0.3')], {
  clients: [network('10.1.0.0/16')],
  metrics: [network('fd00::99')],
});

test('describeNftables replaces a table of its own in one step', () => {
  expect(describeNftables(mixed)).toBe(`#!/usr/sbin/nft -f
# Made by "kayactl firewall" for cluster abcd, members as of index 42: 1 at 10.0.0.1, 2 at fd00::2, 3 at 10.0.0.3.
# The same on every machine of the cluster. Make it again after a member was added or removed.
table inet kayadb
delete table inet kayadb
table inet kayadb {
	set nodes4 {
		type ipv4_addr
		flags interval
		auto-merge
		elements = { 10.0.0.1, 10.0.0.3 }
	}
	set nodes6 {
		type ipv6_addr
		flags interval
		auto-merge
		elements = { fd00::2 }
	}
	set clients4 {
		type ipv4_addr
		flags interval
		auto-merge
		elements = { 10.0.0.1, 10.0.0.3, 10.1.0.0/16 }
	}
	set clients6 {
		type ipv6_addr
		flags interval
		auto-merge
		elements = { fd00::2 }
	}
	set metrics4 {
		type ipv4_addr
		flags interval
		auto-merge
		elements = { 10.0.0.1, 10.0.0.3 }
	}
	set metrics6 {
		type ipv6_addr
		flags interval
		auto-merge
		elements = { fd00::2, fd00::99 }
	}
	chain input {
		type filter hook input priority filter; policy accept;
		iif "lo" accept
		tcp dport { 7481 } ip saddr @nodes4 accept
		tcp dport { 7481 } ip6 saddr @nodes6 accept
		tcp dport { 7481 } drop
		tcp dport { 7379 } ip saddr @clients4 accept
		tcp dport { 7379 } ip6 saddr @clients6 accept
		tcp dport { 7379 } drop
		tcp dport { 9090 } ip saddr @metrics4 accept
		tcp dport { 9090 } ip6 saddr @metrics6 accept
		tcp dport { 9090 } drop
	}
}
`);
});

test('describeUfw allows before it denies, and takes out what it made before', () => {
  const lines = describeUfw(mixed).split('\n');

  expect(lines.slice(0, 7).join('\n')).toContain('ufw status numbered');
  expect(lines.filter((line) => /^ufw (?:allow|deny)/.test(line))).toEqual([
    "ufw allow proto tcp from 10.0.0.1 to any port 7481 comment 'kayadb nodes'",
    "ufw allow proto tcp from 10.0.0.3 to any port 7481 comment 'kayadb nodes'",
    "ufw allow proto tcp from fd00::2 to any port 7481 comment 'kayadb nodes'",
    "ufw deny proto tcp from any to any port 7481 comment 'kayadb nodes'",
    "ufw allow proto tcp from 10.0.0.1 to any port 7379 comment 'kayadb clients'",
    "ufw allow proto tcp from 10.0.0.3 to any port 7379 comment 'kayadb clients'",
    "ufw allow proto tcp from 10.1.0.0/16 to any port 7379 comment 'kayadb clients'",
    "ufw allow proto tcp from fd00::2 to any port 7379 comment 'kayadb clients'",
    "ufw deny proto tcp from any to any port 7379 comment 'kayadb clients'",
    "ufw allow proto tcp from 10.0.0.1 to any port 9090 comment 'kayadb metrics'",
    "ufw allow proto tcp from 10.0.0.3 to any port 9090 comment 'kayadb metrics'",
    "ufw allow proto tcp from fd00::2 to any port 9090 comment 'kayadb metrics'",
    "ufw allow proto tcp from fd00::99 to any port 9090 comment 'kayadb metrics'",
    "ufw deny proto tcp from any to any port 9090 comment 'kayadb metrics'",
  ]);
});
