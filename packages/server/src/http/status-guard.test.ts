import { settle, VirtualClock } from '@kayadb/testkit';
import type { HttpAnswer, HttpRequest } from '@kayadb/transport';
import { describe, expect, test } from 'vitest';

import type { LogFields } from '../logger.ts';
import { StatusGuard } from './status-guard.ts';

const TOKEN = 'a-secret-of-clients';

class World {
  readonly clock = new VirtualClock();
  readonly warnings: LogFields[] = [];
  readonly guard: StatusGuard;

  constructor({ hasToken = true } = {}) {
    const ignore = (): void => {};
    const warn = (fields: LogFields, message: string): void => void this.warnings.push({ ...fields, message });
    this.guard = new StatusGuard({
      clock: this.clock,
      logger: { debug: ignore, info: ignore, warn, error: ignore },
      clientToken: hasToken ? TOKEN : undefined,
      maxRememberedAddresses: 10,
    });
  }

  async ask(authorization: string | undefined): Promise<HttpAnswer | undefined> {
    const refused = this.guard.refuse(request(authorization));
    await settle();
    this.clock.advance(10_000);
    return refused;
  }
}

function request(authorization: string | undefined): HttpRequest {
  return { path: '/v1/status', query: new URLSearchParams(), authorization, from: { host: '10.0.0.9', port: 4 } };
}

describe('StatusGuard', () => {
  test.each([`Bearer ${TOKEN}`, `bearer  ${TOKEN} `])('lets in who shows the token, as %j', async (authorization) => {
    const world = new World();

    expect(await world.ask(authorization)).toBeUndefined();
    expect(world.warnings).toEqual([]);
  });

  test.each([
    ['missing', undefined],
    ['wrong', 'Bearer guess'],
    ['wrong', `Basic ${TOKEN}`],
    ['wrong', `Bearer ${TOKEN}x`],
    ['wrong', 'Bearer'],
    ['wrong', ''],
  ])('answers a %s token with 401, and says so in the log without it', async (reason, authorization) => {
    const world = new World();

    const refusal = await world.ask(authorization);

    expect(refusal).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="kayadb"' } });
    expect(world.warnings).toEqual([
      {
        event: 'auth.failed',
        address: '10.0.0.9',
        credential: 'client',
        reason,
        failures: 1,
        message: 'refused a request from 10.0.0.9: client credential required or invalid',
      },
    ]);
    expect(JSON.stringify([refusal, world.warnings])).not.toContain(TOKEN);
    expect(world.guard.failedAttempts).toBe(1);
  });

  test('answers guesses ever later', async () => {
    const world = new World();
    await world.ask('Bearer one');
    let isAnswered = false;

    const ask = async (): Promise<void> => {
      await world.guard.refuse(request('Bearer two'));
      isAnswered = true;
    };

    const second = ask();
    await settle();
    world.clock.advance(199);
    await settle();
    const early = isAnswered;
    world.clock.advance(1);
    await second;

    expect(early).toBe(false);
  });

  test('asks for nothing where no token is configured', async () => {
    expect(await new World({ hasToken: false }).ask(undefined)).toBeUndefined();
    expect(await new World({ hasToken: false }).ask('Bearer any')).toBeUndefined();
  });
});
