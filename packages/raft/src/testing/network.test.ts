/** The network that the scenarios run on: delivery, losses, and what it checks as it goes. */

import { describe, expect, test } from 'vitest';

import { entryOf } from './entries.ts';
import { Network, networkOf } from './network.ts';
import { appendRequest } from './test-messages.ts';
import { TestNode } from './test-node.ts';

describe('Network', () => {
  test('delivers until nothing is on its way, so that all have applied what was proposed', () => {
    const network = networkOf(3);

    network.campaign(1);
    network.propose(1, 'some');

    expect(network.nodes.map(({ status }) => status.role)).toEqual(['leader', 'follower', 'follower']);
    expect(network.nodes.map(({ appliedTexts }) => appliedTexts)).toEqual([['some'], ['some'], ['some']]);
    expect(network.node(2).logTerms).toEqual([1, 1]);
  });

  test('loses what it is told to lose, until it recovers', () => {
    const network = networkOf(3);
    network.campaign(1);

    network.isolate(3);
    network.propose(1, 'some');
    network.ignore('append');
    network.propose(1, 'more');

    expect(network.status(3).lastIndex).toBe(1);
    expect(network.status(2)).toMatchObject({ lastIndex: 2, commit: 2 });
    network.recover();
    network.tick(1);
    expect(network.nodes.map(({ appliedTexts }) => appliedTexts)).toEqual([1, 2, 3].map(() => ['some', 'more']));
  });

  test('loses as much as the probability says', () => {
    let draws = 0;
    const nodes = [1, 2].map((id) => new TestNode({ id, voters: [1, 2] }));
    const network = new Network(nodes, { random: (limit) => (draws++ % 4) * (limit / 4) });
    network.campaign(1);
    let answers = 0;
    network.onMessage(({ kind }) => {
      if (kind === 'heartbeat-response') answers++;
      return true;
    });

    network.drop(1, 2, 0.5);
    network.tick(1, 8);

    expect(draws).toBe(8);
    expect(answers).toBe(4);
  });

  test('leaves out voters that are black holes', () => {
    const network = networkOf(5, { dead: [2, 3] });

    network.campaign(1);

    expect(network.nodes.map(({ id }) => id)).toEqual([1, 4, 5]);
    expect(network.status(1).role).toBe('leader');
  });

  test('notices two leaders in one term', () => {
    const network = new Network([1, 2].map((id) => new TestNode({ id, voters: [id] })));
    network.campaign(1);

    expect(() => {
      network.campaign(2);
    }).toThrow('nodes 1 and 2 both lead in term 1');
  });

  test('notices two entries that are applied at one index', () => {
    const voters = [1, 2];
    const network = new Network([new TestNode({ id: 1, voters, terms: [1] }), new TestNode({ id: 2, voters })]);
    network.send(appendRequest({ from: 2, to: 1, term: 1, prevIndex: 1, prevTerm: 1, commit: 1 }));

    expect(() => {
      network.send(appendRequest({ from: 1, to: 2, term: 2, entries: [entryOf(1, 2)], commit: 1 }));
    }).toThrow('node 2 has applied another entry 1 than one before');
  });
});

describe('TestNode', () => {
  test('starts again with what it had persisted', () => {
    const network = networkOf(3);
    network.campaign(1);
    network.propose(1, 'some');

    const node = network.node(2).restarted();
    node.drain();

    expect(node.status).toMatchObject({ role: 'follower', term: 1, commit: 2, lastIndex: 2, applied: 2 });
    expect(node.appliedTexts).toEqual(['some']);
  });

  test('lets go of what a snapshot stands for', () => {
    const node = new TestNode({ id: 1, voters: [1], terms: [1, 1, 2] });
    node.core.campaign();
    node.drain();

    node.compact(2);

    expect(node.storage).toMatchObject({ firstIndex: 3, lastIndex: 4 });
    expect(node.storage.entries(2, 3, 1)).toBe('compacted');
    expect(node.storage.entries(3, 5, 1)).toEqual([entryOf(3, 2)]);
    expect(node.storage.snapshot()).toMatchObject({ meta: { index: 4, term: 3, configuration: { voters: [1] } } });
  });
});
