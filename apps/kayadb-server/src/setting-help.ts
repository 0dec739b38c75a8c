/** What is said of each setting: in --help, and where a value cannot be used. */

import { LOG_LEVELS, MAX_NODE_ID, type SettingName } from './settings.ts';

export interface SettingHelp {
  /** What stands for the value in help; none for a switch. */
  readonly placeholder?: string;
  readonly description: string;
  /** Completes the sentence "expected ...". */
  readonly expected: string;
  /** Its value is never repeated in a message. */
  readonly isSecret?: boolean;
  /** The flag may be given more than once, and each time adds to it. */
  readonly isList?: boolean;
}

const SWITCH = 'true or false';

export const SETTING_HELP: Readonly<Record<SettingName, SettingHelp>> = {
  'node-id': {
    placeholder: '<number>',
    description: 'number of this node, which no other node of its group has or had (default 1)',
    expected: `a whole number from 1 to ${MAX_NODE_ID}`,
  },
  'client-addr': {
    placeholder: '<ip:port>',
    description: 'where clients connect; port 0 picks a free one (default 127.0.0.1:7379)',
    expected: 'a numeric address with a port, such as 127.0.0.1:7379 or [::1]:7379',
  },
  'raft-addr': {
    placeholder: '<ip:port>',
    description: 'where other nodes connect; port 0 picks a free one (default 127.0.0.1:7481)',
    expected: 'a numeric address with a port, such as 127.0.0.1:7481 or [::1]:7481',
  },
  'metrics-addr': {
    placeholder: '<ip:port>',
    description: 'where health, metrics and status are, over HTTP; port 0 picks a free one (default 127.0.0.1:9090)',
    expected: 'a numeric address with a port, such as 127.0.0.1:9090 or [::1]:9090',
  },
  'no-metrics': { description: 'listen on no such port', expected: SWITCH },
  'advertise-client-addr': {
    placeholder: '<host:port>',
    description: 'what clients are told in place of --client-addr; names are allowed',
    expected: 'an address or name with a port, such as db1.example:7379',
  },
  'advertise-raft-addr': {
    placeholder: '<host:port>',
    description: 'what other nodes are told in place of --raft-addr; names are allowed',
    expected: 'an address or name with a port, such as db1.example:7481',
  },
  data: { placeholder: '<folder>', description: 'where the data are kept (default ./data)', expected: 'a folder' },
  peer: {
    placeholder: '<id=raft,client>',
    description:
      'another node of the group, where this one reaches it and where clients do; once for each node, this one may be among them',
    expected: 'nodes such as 2=10.0.0.2:7481,10.0.0.2:7379',
    isList: true,
  },
  'join-cluster': {
    description: 'wait to be added to the group of the --peer nodes, in place of beginning one with them',
    expected: SWITCH,
  },
  'peer-identity': {
    placeholder: '<id=name>',
    description:
      'whose certificate node ID shows: a name, or sha256/HASH of a key; the host of its --peer address unless given',
    expected: 'nodes such as 2=db2.example or 2=sha256/HASH',
    isList: true,
  },
  'tls-cert': {
    placeholder: '<file>',
    description: 'certificate of this node as PEM; with --tls-key and --tls-ca, all ports speak TLS',
    expected: 'a file',
  },
  'tls-key': { placeholder: '<file>', description: 'its key as PEM, without a passphrase', expected: 'a file' },
  'tls-ca': {
    placeholder: '<file>',
    description: 'CAs as PEM that sign the certificates of the nodes, and of clients where they show one',
    expected: 'a file',
  },
  'tls-min-client-version': {
    placeholder: '<version>',
    description: 'lowest version of TLS for clients, 1.2 or 1.3; nodes speak 1.3 among each other (default 1.3)',
    expected: '1.2 or 1.3',
  },
  'tls-require-client-cert': { description: 'clients must show a certificate of --tls-ca', expected: SWITCH },
  'heartbeat-ms': {
    placeholder: '<ms>',
    description: 'how often a leader is heard of; the same on all nodes (default 100)',
    expected: 'a whole number of milliseconds from 10 to 10000',
  },
  'election-ms': {
    placeholder: '<ms>',
    description:
      'a node that hears of no leader for this long, or up to twice as long, holds an election; the same on all nodes (default 500)',
    expected: 'a whole number of milliseconds from 50 to 100000',
  },
  'read-leases': {
    description: 'let a leader answer reads that ask for a lease by its own clock, without asking the others',
    expected: SWITCH,
  },
  durability: {
    placeholder: '<mode>',
    description:
      'strict and nothing else: what is acknowledged is on the disks of a majority of the nodes (default strict)',
    expected: 'strict',
  },
  'allow-public-bind': {
    description: 'allow wildcard and public addresses to listen on; that for nodes needs TLS then',
    expected: SWITCH,
  },
  insecure: { description: 'allow a private network without a client token or TLS', expected: SWITCH },
  'allow-root': { description: 'allow running as root on an address that others can reach', expected: SWITCH },
  'client-token': {
    placeholder: '<token>',
    description:
      'clients must show it to read and write; others can see it in ps, so prefer the file or the environment',
    expected: 'a token',
    isSecret: true,
  },
  'client-token-file': { placeholder: '<file>', description: 'file that holds the client token', expected: 'a file' },
  'operator-token': {
    placeholder: '<token>',
    description:
      'operators must show it to change the cluster; others can see it in ps, so prefer the file or the environment',
    expected: 'a token',
    isSecret: true,
  },
  'operator-token-file': {
    placeholder: '<file>',
    description: 'file that holds the operator token',
    expected: 'a file',
  },
  'max-client-connections': {
    placeholder: '<number>',
    description: 'open client connections at most; the last ones are kept for operators (default 1024)',
    expected: 'a whole number from 1 to 1000000',
  },
  'drain-timeout-ms': {
    placeholder: '<ms>',
    description: 'how long stopping may take (default 10000)',
    expected: 'a whole number of milliseconds from 1 to 600000',
  },
  'disk-low-bytes': {
    placeholder: '<bytes>',
    description:
      'with less than this free on the disk, puts are refused while deletes and reads go on; 0: never (default auto: 5 % of the disk, at most 256 MiB)',
    expected: 'auto or a whole number of bytes',
  },
  'disk-reserve-bytes': {
    placeholder: '<bytes>',
    description:
      'size of a file whose room is given back to the store when the disk is full; 0: none (default auto: 2 % of the disk, at most 64 MiB)',
    expected: 'auto or a whole number of bytes',
  },
  'scrub-interval-hours': {
    placeholder: '<hours>',
    description: 'how often the whole store is read back and checked; 0: never (default 168, a week)',
    expected: 'a whole number of hours from 0 to 8760',
  },
  'scrub-bytes-per-second': {
    placeholder: '<bytes>',
    description: 'how much of the disk that takes; 0: all it can (default 16777216)',
    expected: 'a whole number of bytes',
  },
  'log-level': {
    placeholder: '<level>',
    description: `what is logged: ${LOG_LEVELS.join(', ')} (default info)`,
    expected: `one of ${LOG_LEVELS.join(', ')}`,
  },
};
