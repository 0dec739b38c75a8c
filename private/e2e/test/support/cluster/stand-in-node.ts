/**
 * A program that takes the flags of a node of a cluster and does only what shows whether the cluster around it is as it should be: it dials its peers, says so many times a second
 * that it is there, and logs what it hears. Run with `--import tsx`.
 */

import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const BEAT_MS = 20;

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '' },
    'node-id': { type: 'string', default: '1' },
    'raft-addr': { type: 'string', default: '127.0.0.1:0' },
    'client-addr': { type: 'string', default: '127.0.0.1:0' },
    peer: { type: 'string', multiple: true, default: [] },
    'join-cluster': { type: 'boolean', default: false },
    'no-metrics': { type: 'boolean', default: false },
  },
});

function log(event: string, facts: object): void {
  process.stderr.write(`${JSON.stringify({ level: 'info', event, msg: event, ...facts })}\n`);
}

function endpointOf(address: string): { readonly host: string; readonly port: number } {
  const [host = '', port = ''] = address.split(':');
  return { host, port: Number(port) };
}

/** Node 1 says that it leads, as an answer to whatever a client asks. */
const roles = createServer((socket) => {
  const role = Buffer.from(values['node-id'] === '1' ? 'leader' : 'follower');
  const head = Buffer.alloc(6);
  head.writeUInt32LE(role.length + 2, 0);
  socket.on('data', () => socket.write(Buffer.concat([head, role])));
  socket.on('error', () => {});
});

const peers = createServer((socket) => {
  socket.on('error', () => {});
  const lines = createInterface({ input: socket });
  lines.on('error', () => {});
  lines.on('line', (line) => {
    const [from, beat] = line.split(' ').map(Number);
    log('peer.heard', { from, beat });
  });
});

/** One connection to a peer, and another when it is gone. Each counts its own beats. */
function dial(address: string): void {
  const socket = connect(endpointOf(address));
  let beat = 0;
  const beating = setInterval(() => socket.write(`${values['node-id']} ${++beat}\n`), BEAT_MS);
  socket.on('error', () => {});
  socket.on('close', () => {
    clearInterval(beating);
    setTimeout(() => dial(address), BEAT_MS);
  });
}

peers.listen(endpointOf(values['raft-addr']), () => {
  roles.listen(endpointOf(values['client-addr']), () => {
    const { data, peer: peerAddresses, 'join-cluster': isJoining } = values;
    log('node.ready', { address: values['client-addr'], data, peers: peerAddresses, isJoining });
    for (const peer of values.peer) dial(peer.slice(peer.indexOf('=') + 1).split(',')[0]!);
  });
});
