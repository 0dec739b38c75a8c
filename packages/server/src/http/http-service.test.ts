/** The pages over real sockets, of a node as plain data. */

import { VirtualClock } from '@kayadb/testkit';
import type { HttpListener } from '@kayadb/transport';
import { describe, expect, test } from 'vitest';

import { formingView, plainMachine, plainView } from '../../test/support/plain-view.ts';
import type { LogFields } from '../logger.ts';
import type { NodeView } from '../node-view.ts';
import { serveHttp, type ServeHttpOptions } from './http-service.ts';

class World implements AsyncDisposable {
  readonly warnings: LogFields[] = [];
  readonly errors: LogFields[] = [];
  #listener: HttpListener | undefined;

  static async open(view: NodeView, options: Partial<ServeHttpOptions> = {}): Promise<World> {
    const world = new World();
    const ignore = (): void => {};
    world.#listener = await serveHttp({
      view,
      address: { host: '127.0.0.1', port: 0 },
      clock: new VirtualClock(),
      wallClock: () => Date.UTC(2026, 0),
      logger: {
        debug: ignore,
        info: ignore,
        warn: (fields) => void world.warnings.push(fields),
        error: (fields) => void world.errors.push(fields),
      },
      withProcessMetrics: false,
      ...options,
    });
    return world;
  }

  async get(
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; type: string | null; text: string }> {
    const { port } = this.#listener!.address;
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close', ...headers } });
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.close();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('serveHttp', () => {
  test('says of a healthy node that it lives and serves', async () => {
    await using world = await World.open(plainView());

    expect(await world.get('/livez')).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await world.get('/readyz')).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await world.get('/readyz?verbose')).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8' });
    expect((await world.get('/readyz?verbose=1')).text).toMatch(/^\[\+\]lifecycle ok: running\n/u);
  });

  test('says why a node does not serve, asked for details or not', async () => {
    await using world = await World.open(formingView());

    expect(await world.get('/livez')).toMatchObject({ status: 200 });
    const { status, text } = await world.get('/readyz');

    expect(status).toBe(503);
    expect(text).toContain('[-]lifecycle failed: forming: waits for node 2, node 3\n');
    expect(text).toMatch(/\nreadyz check failed\n$/u);
  });

  test('says of a node that has ended that it does not live', async () => {
    await using world = await World.open(plainView({ phase: 'ended', endError: new Error('the disk failed') }));

    expect(await world.get('/livez')).toMatchObject({ status: 503, text: 'the node has ended: the disk failed\n' });
    expect(await world.get('/readyz')).toMatchObject({ status: 503 });
  });

  test('serves metrics and the status', async () => {
    await using world = await World.open(plainView());

    const metrics = await world.get('/metrics');
    const status = await world.get('/v1/status');

    expect(metrics).toMatchObject({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' });
    expect(metrics.text).toContain('\nkayadb_raft_term 3\n');
    expect(status).toMatchObject({ status: 200, type: 'application/json' });
    expect(JSON.parse(status.text)).toMatchObject({ node_id: 1, leader_address: 'n1:7379' });
  });

  test('has no other pages', async () => {
    await using world = await World.open(plainView());

    const answers = await Promise.all(['/', '/livez/', '/v1/status/..', '/metrics%20'].map((path) => world.get(path)));

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(answers[0]!.text).toBe('there is no such page; there are /livez, /readyz, /metrics, /v1/status\n');
  });

  test('wants the token for the status alone', async () => {
    const clientToken = 'a-secret-of-clients';
    const clock = new VirtualClock();
    await using world = await World.open(plainView(), { clientToken, clock });

    const open = await Promise.all(['/livez', '/readyz', '/metrics'].map((path) => world.get(path)));
    const shown = await world.get('/v1/status', { authorization: `Bearer ${clientToken}` });
    const refused = world.get('/v1/status');
    while (world.warnings.length === 0) await turn();
    clock.advance(100);

    expect(open.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(shown.status).toBe(200);
    expect(await refused).toMatchObject({ status: 401, text: 'client credential required or invalid\n' });
    expect([...open, shown].map(({ text }) => text).join()).not.toContain(clientToken);
  });

  test('is asked by the names that it is given', async () => {
    await using world = await World.open(plainView(), { allowedHosts: ['node-1.example'] });
    const asked = (origin: string): Promise<{ status: number }> => world.get('/livez', { origin });

    expect(await asked('http://node-1.example')).toMatchObject({ status: 200 });
    expect(await asked('http://evil.example')).toMatchObject({ status: 403 });
  });

  test('logs what fails, and tells nobody', async () => {
    const cause = new Error('the store is closed');
    const machine = plainMachine({
      stats: () => {
        throw cause;
      },
    });
    await using world = await World.open(plainView({ machine }));

    const { status, text } = await world.get('/metrics');

    expect({ status, text }).toEqual({ status: 500, text: 'the request failed; the log says why\n' });
    expect(world.errors).toEqual([{ event: 'http.failed', err: cause }]);
  });
});
