import { VirtualClock } from '@kayadb/testkit';
import { type PeerVerdict, TransportError } from '@kayadb/transport';
import { describe, expect, test } from 'vitest';

import { TurnedAwayLog } from './turned-away-log.ts';

function openLog() {
  const clock = new VirtualClock();
  const lines: Readonly<Record<string, unknown>>[] = [];
  const silent = (): void => {};
  const warn = (fields: Readonly<Record<string, unknown>>): void => void lines.push(fields);
  const log = new TurnedAwayLog({ debug: silent, info: silent, warn, error: silent }, clock);
  const turnAway = (host: string, port: number, why = 'was refused', verdict: PeerVerdict = 'no-member'): void => {
    const error = new TransportError('KAYA_PEER_REFUSED', `${host}:${port} ${why}`);
    log.write(error, { remoteAddress: { host, port } }, undefined, verdict);
  };
  return { clock, lines, turnAway };
}

describe('TurnedAwayLog', () => {
  test('tells once a minute of who comes again and again, for each reason', async () => {
    const { clock, lines, turnAway } = openLog();

    for (let port = 1; port <= 100; port++) turnAway('10.0.0.9', port);
    turnAway('10.0.0.9', 101, 'said nothing');
    turnAway('10.0.0.8', 102);
    await clock.advanceAsync(60_000);
    turnAway('10.0.0.9', 103);

    expect(lines.map(({ from, untold }) => [from, untold])).toEqual([
      ['10.0.0.9', undefined],
      ['10.0.0.9', 99],
      ['10.0.0.8', undefined],
      ['10.0.0.9', undefined],
    ]);
  });

  test('warns of nobody for having no cluster yet', () => {
    const { lines, turnAway } = openLog();

    turnAway('10.0.0.9', 1, 'was refused', 'no-cluster');
    turnAway('10.0.0.9', 2, 'was refused', 'other-cluster');

    expect(lines).toHaveLength(1);
  });

  test('writes no more than so many lines a minute, whoever comes', async () => {
    const { clock, lines, turnAway } = openLog();

    for (let host = 0; host < 250; host++) turnAway(`10.0.0.${host}`, 1);
    await clock.advanceAsync(60_000);
    turnAway('10.0.1.1', 1);

    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toEqual({
      event: 'peer.turned-away',
      peer: undefined,
      from: '10.0.1.1',
      code: 'KAYA_PEER_REFUSED',
      untold: 200,
    });
  });
});
