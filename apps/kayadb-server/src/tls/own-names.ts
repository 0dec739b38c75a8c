/** Whether this node's certificate is one that others will take, as far as that can be seen from here. */

import { matchesIdentity, type PeerIdentity } from '@kayadb/transport';

/**
 * @param hosts - Where others are told to find this node.
 * @returns What is to be told when the certificate is not that of all of them: the start goes well, and everybody hangs up.
 */
export function warnOfNames(own: PeerIdentity, hosts: readonly string[]): readonly string[] {
  const missing = [...new Set(hosts)].filter((host) => !matchesIdentity(own, { kind: 'name', name: host }));
  if (missing.length === 0) return [];
  const names = [...own.dnsNames, ...own.ipAddresses].join(', ');
  return [
    `the TLS certificate of ${own.subject} is for ${names === '' ? 'nobody by name' : names}, and others are told to find this node at ${missing.join(' and ')}: they refuse it unless they expect another name (--peer-identity)`,
  ];
}
