/** Scans of version 2: one state, page by page, as fast as the reader, and an end that is told when the state is lost. */

import { decodeUtf8 } from '@kayadb/codec';
import { settle } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { ClientError, Row } from '../src/index.ts';
import { refusal } from './support/scripted-cluster.ts';
import { finish, openWorld2, type World2 } from './support/world-2.ts';

const KEYS = Array.from({ length: 25 }, (_, i) => `k${String(i).padStart(2, '0')}`);

async function fill(world: World2): Promise<void> {
  await finish(world.client.batch(KEYS.map((key) => ({ kind: 'put', key, value: key }))), world.clock);
  world.cluster.seen.length = 0;
}

async function keysOf(scan: AsyncIterable<Row>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of scan) keys.push(decodeUtf8(key));
  return keys;
}

/** As many rows as are asked for, and then the iterator. */
async function take(scan: AsyncIterable<Row>, count: number): Promise<AsyncIterator<Row>> {
  const rows = scan[Symbol.asyncIterator]();
  for (let i = 0; i < count; i++) await rows.next();
  return rows;
}

async function rest(rows: AsyncIterator<Row>): Promise<string[]> {
  const keys: string[] = [];
  for (let next = await rows.next(); next.done !== true; next = await rows.next())
    keys.push(decodeUtf8(next.value.key));
  return keys;
}

describe('Client.scan in version 2', () => {
  test.each([
    ['a prefix', 'k0', {}, KEYS.slice(0, 10)],
    ['bounds', { gt: 'k03', lte: 'k05' }, {}, ['k04', 'k05']],
    ['reverse', { gte: 'k20' }, { reverse: true }, KEYS.slice(20).toReversed()],
    ['a limit over pages', '', { limit: 9 }, KEYS.slice(0, 9)],
    ['a limit of nothing', '', { limit: 0 }, []],
    ['an end that nothing is below', { lt: '' }, {}, []],
  ] as const)('yields %s', async (_, range, options, expected) => {
    await using world = await openWorld2({}, { pageRows: 4 });
    await fill(world);

    expect(await finish(keysOf(world.client.scan(range, options)), world.clock)).toEqual(expected);
  });

  test('yields rows of one revision, whatever is written meanwhile', async () => {
    await using world = await openWorld2({}, { pageRows: 4 });
    await fill(world);

    const rows = await take(world.client.scan(''), 2);
    await finish(world.client.deleteRange({ prefix: 'k1' }), world.clock);

    expect(await finish(rest(rows), world.clock)).toEqual(KEYS.slice(2));
  });

  test('asks for one page ahead of its reader, and for no more', async () => {
    await using world = await openWorld2({}, { pageRows: 5 });
    await fill(world);

    const rows = await take(world.client.scan(''), 1);
    for (let turn = 0; turn < 10; turn++) await settle();
    const first = world.cluster.kinds.join(' ');
    for (let i = 0; i < 5; i++) await rows.next();
    for (let turn = 0; turn < 10; turn++) await settle();
    const second = world.cluster.kinds.join(' ');
    await finish(rest(rows), world.clock);

    expect(first).toBe('scan more');
    expect(second).toBe('scan more more');
    expect(world.cluster.kinds.join(' ')).toBe('scan more more more more');
  });

  test('ends the scan at the node when its reader leaves', async () => {
    await using world = await openWorld2({}, { pageRows: 5 });
    await fill(world);

    for await (const { key } of world.client.scan('')) if (decodeUtf8(key) === 'k01') break;
    await settle();
    await settle();

    const id = world.cluster.seen[0]?.id;
    expect(world.cluster.seen.map(({ request }) => request)).toContainEqual({ kind: 'end-scan', scan: id });
  });

  test('ends the scan at the node when its first page comes too late for its reader', async () => {
    await using world = await openWorld2({}, { pageRows: 5 });
    await fill(world);
    world.cluster.script = ({ request }) => (request.kind === 'scan' ? 'hold' : 'serve');
    const controller = new AbortController();

    const keys = keysOf(world.client.scan('', { signal: controller.signal })).catch((error: unknown) => error);
    await settle();
    await settle();
    controller.abort();
    await keys;
    world.cluster.release();
    await settle();
    await settle();

    expect(world.cluster.kinds).toEqual(['scan', 'cancel', 'end-scan']);
  });

  test.each(['cut', 'serve-and-cut', 'silence'] as const)(
    'begins again when its first page meets: %s',
    async (reaction) => {
      await using world = await openWorld2({ timeoutMs: 200 }, { pageRows: 5, nodes: 3 });
      await fill(world);
      world.cluster.script = (_seen, count) => (count === 1 ? reaction : 'serve');

      expect(await finish(keysOf(world.client.scan('')), world.clock)).toEqual(KEYS);
    },
  );

  const losses = [
    'cut',
    'serve-and-cut',
    'silence',
    refusal('KAYA_SCAN_ENDED'),
    refusal('KAYA_STATE_REPLACED'),
  ] as const;

  test.each(losses)('ends with a typed error when its state is lost in the middle: %j', async (reaction) => {
    await using world = await openWorld2({ timeoutMs: 200 }, { pageRows: 5, nodes: 3 });
    await fill(world);
    world.cluster.script = ({ request }, count) => (request.kind === 'more' && count === 3 ? reaction : 'serve');
    const seen: string[] = [];

    const read = async (): Promise<unknown> => {
      for await (const { key } of world.client.scan('')) seen.push(decodeUtf8(key));
      return 'no failure';
    };
    const error = await finish(
      read().catch((reason: unknown) => reason),
      world.clock,
    );

    expect((error as ClientError).code).toBe('KAYA_SCAN_ENDED');
    expect(seen).toEqual(KEYS.slice(0, 10));
  });

  test.each([
    ['forward', false],
    ['in reverse', true],
  ])('goes on behind its last row when it may show several states, %s', async (_, reverse) => {
    for (let at = 1; at <= 7; at++) {
      await using world = await openWorld2({ timeoutMs: 200 }, { pageRows: 5, nodes: 3 });
      await fill(world);
      world.cluster.script = (_seen, count) => (count === at || count === at + 2 ? 'cut' : 'serve');

      const scan = world.client.scan('', { acrossRevisions: true, reverse, limit: 22 });
      const keys = await finish(keysOf(scan), world.clock);

      expect([at, keys]).toEqual([at, (reverse ? KEYS.toReversed() : KEYS).slice(0, 22)]);
    }
  });

  test('ends with its signal, also between two pages', async () => {
    await using world = await openWorld2({}, { pageRows: 5 });
    await fill(world);
    const controller = new AbortController();

    const rows = await take(world.client.scan('', { signal: controller.signal }), 5);
    world.cluster.script = () => 'silence';
    const next = take({ [Symbol.asyncIterator]: () => rows }, 6).catch((error: unknown) => error);
    await settle();
    controller.abort();

    expect((await finish(next, world.clock)) as ClientError).toMatchObject({ code: 'KAYA_ABORTED' });
  });

  test('refuses contradicting bounds at once', async () => {
    await using world = await openWorld2();

    expect(() => world.client.scan({ gt: 'a', gte: 'a' })).toThrow(TypeError);
    expect(() => world.client.scan({ prefix: 'a', lt: 'b' })).toThrow(TypeError);
    expect(() => world.client.scan('', { limit: Number.NaN })).toThrow(RangeError);
  });
});
