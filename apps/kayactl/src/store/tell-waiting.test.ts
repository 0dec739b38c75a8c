import type { ClientEvent } from '@kayadb/client';
import { describe, expect, test } from 'vitest';

import { TestWorld } from '../../test/test-world.ts';
import { Output } from '../output.ts';
import { tellWaiting } from './tell-waiting.ts';

function open(): {
  readonly world: TestWorld;
  readonly tell: (event: ClientEvent) => void;
  readonly told: () => string;
} {
  const world = new TestWorld();
  const io = world.io();
  const context = { io, output: new Output(io.stdout, io.stderr), globals: { json: false } };
  return { world, tell: tellWaiting(context), told: () => io.stderr.text };
}

function retry(request: string): ClientEvent {
  return { kind: 'retry', request, delayMs: 50, cause: new Error('no answer from a:1') };
}

describe('tellWaiting', () => {
  test('counts the first try of a first connection, which may have taken long', () => {
    const { world, tell, told } = open();

    world.clock.advance(5_000);
    tell(retry('hello'));

    expect(told()).toBe('NOTE: trying again: no answer from a:1\n');
  });

  test('says nothing of trouble that is over soon', () => {
    const { world, tell, told } = open();

    world.clock.advance(5_000);
    for (let at = 0; at < 10; at++) {
      tell(retry('write'));
      world.clock.advance(200);
    }

    expect(told()).toBe('');
  });

  test('says it again every ten seconds', () => {
    const { world, tell, told } = open();

    for (let at = 0; at < 30; at++) {
      tell(retry('write'));
      world.clock.advance(1_000);
    }

    expect(told().split('\n').length - 1).toBe(3);
  });
});
