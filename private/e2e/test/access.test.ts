/**
 * Who may ask a node for what, over its ports: every opcode of both protocols, with every credential that somebody could have, against a table of what docs/format/wire.md and wire-2.md
 * promise. Each case comes from an address of its own, since a node slows down whoever guesses.
 */

import {
  type Credential,
  decodeResponse,
  decodeResponse2,
  decodeResponseId2,
  encodeRequest,
  encodeRequest2,
  encodeUtf8,
  OPCODE,
  OPCODE_2,
  type Request,
  type Request2,
  type RequestKind2,
  type RequestKind,
} from '@kayadb/codec';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { frame, u32 } from './support/raw-connection.ts';
import { type Folder, openFolder } from './support/repository.ts';
import { ServerProcess } from './support/server-process.ts';
import { ask } from './support/stranger.ts';

const TOKENS = {
  client: 'client-token-of-the-test',
  operator: 'operator-token-of-the-test',
  wrong: 'a guess',
} as const;

/** What is said of a request that lacks a credential. */
const DENIED = {
  client: 'client credential required or invalid',
  operator: 'operator credential required or invalid',
} as const;

const KEY = encodeUtf8('k');
const LINEARIZABLE = { kind: 'linearizable' } as const;
const ADDED = { peerAddress: '127.0.0.1:1', clientAddress: '127.0.0.1:2' } as const;

type Row<Kind> = readonly [request: Kind, none: string, wrong: string, client: string, operator: string];

/**
 * What each request of version 1 comes to without a credential, with a wrong token, with the client's, and with the operator's: as the kind of the answer, or `client` or `operator`
 * for a refusal. The token is in the prefix that the opcode has. Node 1 is alone, and there is no node 9.
 */
const TABLE_1: Readonly<Record<RequestKind, Row<Request>>> = {
  hello: [{ kind: 'hello', version: 1 }, 'version', 'version', 'version', 'version'],
  put: [{ kind: 'put', key: KEY, value: KEY }, 'client', 'client', 'done', 'client'],
  get: [{ kind: 'get', key: encodeUtf8('none') }, 'client', 'client', 'not-found', 'client'],
  delete: [{ kind: 'delete', key: encodeUtf8('none') }, 'client', 'client', 'done', 'client'],
  scan: [{ kind: 'scan', prefix: KEY }, 'client', 'client', 'items', 'client'],
  health: [{ kind: 'health' }, 'role', 'role', 'role', 'role'],
  stats: [{ kind: 'stats' }, 'client', 'client', 'text', 'client'],
  'add-member': [
    { kind: 'add-member', id: 1, raftAddress: ADDED.peerAddress, clientAddress: ADDED.clientAddress, isLearner: true },
    'operator',
    'operator',
    'operator',
    'KAYA_MEMBERSHIP_REFUSED',
  ],
  'remove-member': [{ kind: 'remove-member', id: 9 }, 'operator', 'operator', 'operator', 'KAYA_MEMBERSHIP_REFUSED'],
  'transfer-leader': [{ kind: 'transfer-leader', group: 0, target: 1 }, 'operator', 'operator', 'operator', 'done'],
  'promote-learner': [
    { kind: 'promote-learner', id: 9 },
    'operator',
    'operator',
    'operator',
    'KAYA_MEMBERSHIP_REFUSED',
  ],
};

/** The same for version 2, where tokens are shown in front with AUTH. */
const TABLE_2: Readonly<Record<Exclude<RequestKind2, 'auth'>, Row<Request2>>> = {
  cancel: [{ kind: 'cancel', target: 1 }, 'done', 'done', 'done', 'done'],
  health: [{ kind: 'health' }, 'health', 'health', 'health', 'health'],
  get: [{ kind: 'get', freshness: LINEARIZABLE, key: KEY }, 'client', 'client', 'row', 'client'],
  'get-many': [{ kind: 'get-many', freshness: LINEARIZABLE, keys: [KEY] }, 'client', 'client', 'rows', 'client'],
  write: [
    { kind: 'write', write: { conditions: [], operations: [{ kind: 'put', key: KEY, value: KEY }], otherwise: [] } },
    'client',
    'client',
    'written',
    'client',
  ],
  scan: [
    {
      kind: 'scan',
      freshness: LINEARIZABLE,
      range: { from: KEY, isFromExclusive: false, to: KEY, isToInclusive: true },
      isDescending: false,
      isWithoutValues: false,
      limit: 0,
      pageBytes: 0,
      pageRows: 0,
    },
    'client',
    'client',
    'page',
    'client',
  ],
  more: [{ kind: 'more', scan: 77 }, 'client', 'client', 'KAYA_SCAN_ENDED', 'client'],
  'end-scan': [{ kind: 'end-scan', scan: 77 }, 'client', 'client', 'done', 'client'],
  'open-session': [{ kind: 'open-session', expiryMs: 0 }, 'client', 'client', 'session', 'client'],
  'touch-session': [{ kind: 'touch-session', session: 77 }, 'client', 'client', 'KAYA_SESSION_EXPIRED', 'client'],
  'close-session': [{ kind: 'close-session', session: 77 }, 'client', 'client', 'done', 'client'],
  status: [{ kind: 'status' }, 'client', 'client', 'text', 'client'],
  members: [{ kind: 'members' }, 'client', 'client', 'text', 'client'],
  'add-member': [
    { kind: 'add-member', node: 9, ...ADDED, isDryRun: true, staysLearner: false },
    'operator',
    'operator',
    'operator',
    'text',
  ],
  'promote-member': [{ kind: 'promote-member', node: 9, isDryRun: true }, 'operator', 'operator', 'operator', 'text'],
  'remove-member': [{ kind: 'remove-member', node: 9, isDryRun: true }, 'operator', 'operator', 'operator', 'text'],
  'transfer-leader': [
    { kind: 'transfer-leader', node: 0 },
    'operator',
    'operator',
    'operator',
    'KAYA_MEMBERSHIP_REFUSED',
  ],
};

const SHOWN = ['none', 'wrong', 'client', 'operator'] as const;
type Shown = (typeof SHOWN)[number];

let folder: Folder;
let node: ServerProcess;

beforeAll(async () => {
  folder = openFolder();
  const env = { KAYA_CLIENT_TOKEN: TOKENS.client, KAYA_OPERATOR_TOKEN: TOKENS.operator };
  node = await ServerProcess.start(folder.at('data'), { env });
});

afterAll(async () => {
  await node.kill();
  folder[Symbol.dispose]();
});

/** The operator's prefix is of the opcodes that change the group, and of no other. */
function withToken(request: Request, shown: Shown): Request {
  if (shown === 'none' || request.kind === 'hello' || request.kind === 'health') return request;
  const kind = /member|leader|learner/.test(request.kind) ? 'operator' : 'client';
  const credential: Credential = { kind, token: encodeUtf8(TOKENS[shown]) };
  return { ...request, credential };
}

/** In the words of the table. */
function describeAnswer(answer: { readonly kind: string; readonly code?: string; readonly message?: string }): string {
  if (answer.message === DENIED.client) return 'client';
  if (answer.message === DENIED.operator) return 'operator';
  return answer.code ?? /^KAYA_\w+/.exec(answer.message ?? '')?.[0] ?? answer.kind;
}

async function askVersion1(request: Request, shown: Shown): Promise<string> {
  const [answer, ...more] = await ask(node.port, encodeRequest(withToken(request, shown)));
  expect(more).toEqual([]);
  return describeAnswer(decodeResponse(request.kind, answer!));
}

/** Tokens as they are, or each in the place of the other. */
function authFrames(shown: Shown, isSwapped: boolean): readonly Request2[] {
  if (shown === 'none') return [];
  const roles = shown === 'wrong' ? (['client', 'operator'] as const) : [shown];
  return roles.map((role) => ({
    kind: 'auth',
    role: isSwapped && role === shown ? (role === 'client' ? 'operator' : 'client') : role,
    token: encodeUtf8(TOKENS[shown]),
  }));
}

async function askVersion2(request: Request2 | Uint8Array, shown: Shown, isSwapped = false): Promise<string> {
  const auth = authFrames(shown, isSwapped);
  const last = request instanceof Uint8Array ? request : encodeRequest2({ id: 9, deadlineMs: 0 }, request);
  const frames = [
    encodeRequest({ kind: 'hello', version: 2 }),
    ...auth.map((each, at) => encodeRequest2({ id: at + 1, deadlineMs: 0 }, each)),
    last,
  ];
  const [, ...answers] = await ask(node.port, Buffer.concat(frames));
  const said = new Map(answers.map((answer) => [decodeResponseId2(answer), answer]));
  const isRight = (shown === 'client' || shown === 'operator') && !isSwapped;
  for (const at of auth.keys()) {
    expect(decodeResponse2('auth', said.get(at + 1)!)).toMatchObject(
      isRight ? { kind: 'done' } : { code: 'KAYA_ACCESS_DENIED' },
    );
  }
  const kind = request instanceof Uint8Array ? 'health' : request.kind;
  return describeAnswer(decodeResponse2(kind, said.get(9)!));
}

describe('a node with both tokens', { timeout: 60_000 }, () => {
  test('has every opcode of both versions in the tables', () => {
    expect(Object.keys(TABLE_1)).toHaveLength(Object.keys(OPCODE).length);
    expect(Object.keys(TABLE_2)).toHaveLength(Object.keys(OPCODE_2).length - 1);
  });

  test('answers every request of version 1 as the table says', async () => {
    const rows = Object.values(TABLE_1);

    const said = await Promise.all(
      rows.map(async ([request]) => [
        request.kind,
        ...(await Promise.all(SHOWN.map((shown) => askVersion1(request, shown)))),
      ]),
    );

    expect(said).toEqual(rows.map(([request, ...expected]) => [request.kind, ...expected]));
  });

  test('answers every request of version 2 as the table says', async () => {
    const rows = Object.values(TABLE_2);

    const said = await Promise.all(
      rows.map(async ([request]) => [
        request.kind,
        ...(await Promise.all(SHOWN.map((shown) => askVersion2(request, shown)))),
      ]),
    );

    expect(said).toEqual(rows.map(([request, ...expected]) => [request.kind, ...expected]));
  });

  test('takes neither token in the place of the other', async () => {
    const rows = Object.values(TABLE_2);

    const said = await Promise.all(
      rows.map(async ([request]) => [
        request.kind,
        await askVersion2(request, 'client', true),
        await askVersion2(request, 'operator', true),
      ]),
    );

    expect(said).toEqual(rows.map(([request, none]) => [request.kind, none, none]));
  });

  test('does nothing for an opcode that it does not know, whoever asks', async () => {
    const known = { 1: new Set<number>(Object.values(OPCODE)), 2: new Set<number>(Object.values(OPCODE_2)) };
    const others = Array.from({ length: 256 }, (_, opcode) => opcode);

    const [said1, said2] = await Promise.all([
      Promise.all(
        others
          .filter((opcode) => !known[1].has(opcode))
          .map(async (opcode) => decodeResponse('get', (await ask(node.port, frame(opcode, encodeUtf8('x'))))[0]!)),
      ),
      Promise.all(
        others
          .filter((opcode) => !known[2].has(opcode))
          .map((opcode) => {
            const head = Buffer.concat([u32(10), u32(9), Buffer.of(opcode), u32(0), Buffer.of(1)]);
            return askVersion2(head, 'operator');
          }),
      ),
    ]);

    expect(new Set(said1.map(({ kind }) => kind))).toEqual(new Set(['error']));
    expect(said1.every((answer) => 'message' in answer && answer.message.includes('not supported'))).toBe(true);
    expect(new Set(said2)).toEqual(new Set(['KAYA_UNSUPPORTED']));
  });

  test('has told of each failure with the address, and of no token', () => {
    const failures = node.log.filter(({ event }) => event === 'auth.failed');

    expect(failures.length).toBeGreaterThan(50);
    expect(failures.every(({ address }) => /^127\.\d+\.\d+\.\d+$/.test(String(address)))).toBe(true);
    expect(JSON.stringify(node.log)).not.toMatch(/token-of-the-test|a guess/);
  });
});
