/** Requests of version 1, as tests write them. */

import { encodeUtf8, type Request } from '@kayadb/codec';

export const CLIENT_TOKEN = 'client-secret';
export const OPERATOR_TOKEN = 'operator-secret';

export function put(key: string, value: string | Uint8Array, token?: string): Request {
  return { kind: 'put', key: encodeUtf8(key), value: bytes(value), credential: client(token) };
}

export function get(key: string, token?: string): Request {
  return { kind: 'get', key: encodeUtf8(key), credential: client(token) };
}

export function del(key: string, token?: string): Request {
  return { kind: 'delete', key: encodeUtf8(key), credential: client(token) };
}

export function scan(prefix: string, token?: string): Request {
  return { kind: 'scan', prefix: encodeUtf8(prefix), credential: client(token) };
}

export function addMember(token?: string): Request {
  const credential = operator(token);
  return {
    kind: 'add-member',
    id: 2,
    raftAddress: '10.0.0.2:7481',
    clientAddress: '10.0.0.2:7379',
    isLearner: false,
    credential,
  };
}

export function removeMember(id: number, token?: string): Request {
  return { kind: 'remove-member', id, credential: operator(token) };
}

export function promoteLearner(id: number, token?: string): Request {
  return { kind: 'promote-learner', id, credential: operator(token) };
}

export function transferLeader(group: number, target: number, token?: string): Request {
  return { kind: 'transfer-leader', group, target, credential: operator(token) };
}

export function client(token: string | undefined): { kind: 'client'; token: Uint8Array } | undefined {
  return token === undefined ? undefined : { kind: 'client', token: encodeUtf8(token) };
}

export function operator(token: string | undefined): { kind: 'operator'; token: Uint8Array } | undefined {
  return token === undefined ? undefined : { kind: 'operator', token: encodeUtf8(token) };
}

function bytes(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? encodeUtf8(value) : value;
}
