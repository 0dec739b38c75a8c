/** Streams of commands that meet each other: few keys, short sessions, said twice, too early and too late. */

import { encodeUtf8, type SessionPlace, type Write, type WriteCondition, type WriteOperation } from '@kayadb/codec';
import type { SeededRandom } from '@kayadb/testkit';

import type { Command } from '../../src/machine/command.ts';

const KEYS = 14;

/** @returns `count` commands, for indexes from 1 on; `undefined` is an entry for somebody else. */
export function randomCommands(random: SeededRandom, count: number): readonly (Command | undefined)[] {
  const stream = new CommandStream(random);
  return Array.from({ length: count }, (_, i) => stream.next(i + 1));
}

class CommandStream {
  readonly #random: SeededRandom;
  /** Ids of sessions that were opened, and the next serial of each. */
  readonly #serials = new Map<number, number>();
  #timeMs = 1_000_000;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  next(index: number): Command | undefined {
    const random = this.#random;
    this.#timeMs += random.chance(0.06) ? random.int(150_000) : random.int(400);
    // A new leader's clock may be behind.
    const timeMs = random.chance(0.05) ? this.#timeMs - random.int(5000) : this.#timeMs;
    const draw = random.next();
    if (draw < 0.05) return undefined;
    if (draw < 0.12) {
      this.#serials.set(index, 1);
      return { kind: 'open-session', expiryMs: random.pick([0, 700, 60_000, 200_000, 3_600_000]), timeMs };
    }
    if (draw < 0.15) return { kind: 'close-session', session: this.#anySession(), timeMs };
    if (draw < 0.19) return { kind: 'touch', session: random.chance(0.3) ? undefined : this.#anySession(), timeMs };
    if (draw < 0.21) {
      const node = 1 + random.int(4);
      const member = {
        node,
        incarnation: random.int(3),
        level: 1,
        isToBePromoted: random.chance(0.3),
        peerAddress: `n${node}:1`,
        clientAddress: '',
      };
      return { kind: 'put-member', member, timeMs };
    }
    if (draw < 0.225) return { kind: 'drop-member', node: 1 + random.int(4), timeMs };
    if (draw < 0.23) return { kind: 'raise-level', level: 1, timeMs };
    return { kind: 'write', write: this.#write(), timeMs, ...(random.chance(0.03) && { unknown: UNKNOWN }) };
  }

  #write(): Write {
    const random = this.#random;
    const conditions = random.chance(0.5) ? this.#list(1 + random.int(2), () => this.#condition()) : [];
    const operations = this.#list(random.int(4), () => this.#operation());
    const otherwise = conditions.length > 0 ? this.#list(random.int(3), () => this.#operation()) : [];
    const place = random.chance(0.5) && this.#serials.size > 0 ? this.#place() : undefined;
    return { ...(place && { place }), conditions, operations, otherwise };
  }

  #place(): SessionPlace {
    const random = this.#random;
    const session = this.#anySession();
    const next = this.#serials.get(session) ?? 1;
    const draw = random.next();
    // Said again, out of order, or beyond the window.
    const serial = draw < 0.3 ? 1 + random.int(next) : draw < 0.35 ? next + 1020 + random.int(9) : next + random.int(3);
    if (draw >= 0.35) this.#serials.set(session, Math.max(next, serial + 1));
    const settled = random.chance(0.5) ? 0 : random.int(next + 1);
    return { session, serial, settled };
  }

  #anySession(): number {
    const ids = [...this.#serials.keys()];
    if (ids.length === 0 || this.#random.chance(0.05)) return 1 + this.#random.int(50);
    return ids[Math.max(0, ids.length - 1 - this.#random.int(6))]!;
  }

  #condition(): WriteCondition {
    const random = this.#random;
    const key = this.#key();
    const draw = random.int(3);
    if (draw === 0) return { kind: 'exists', key, exists: random.chance(0.5) };
    if (draw === 1) return { kind: 'value', key, value: this.#value() };
    return { kind: 'revision', key, revision: random.int(40) };
  }

  #operation(): WriteOperation {
    const random = this.#random;
    const draw = random.next();
    if (draw < 0.7) return { kind: 'put', key: this.#key(), value: this.#value() };
    if (draw < 0.88) return { kind: 'delete', key: this.#key() };
    const to = random.chance(0.2) ? new Uint8Array(0) : this.#key();
    return { kind: 'delete-range', from: random.chance(0.1) ? new Uint8Array(0) : this.#key(), to };
  }

  #key(): Uint8Array {
    const draw = this.#random.int(KEYS);
    // Users may write any bytes, those of the machine's own keys too.
    if (draw === 0) return encodeUtf8('\u0001machine');
    if (draw === 1) return Uint8Array.of(0xff, 0xff);
    return encodeUtf8(`k${draw}`);
  }

  #value(): Uint8Array {
    const random = this.#random;
    if (random.chance(0.3)) return encodeUtf8(`v${random.int(3)}`);
    return encodeUtf8(`v${random.int(1000)}`.padEnd(random.int(90), '.'));
  }

  #list<Item>(count: number, make: () => Item): readonly Item[] {
    return Array.from({ length: count }, make);
  }
}

const UNKNOWN = [{ tag: 200, bytes: Uint8Array.of(1, 2) }];
