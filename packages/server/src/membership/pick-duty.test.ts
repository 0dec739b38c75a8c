import { EMPTY_CONFIGURATION } from '@kayadb/raft';
import { describe, expect, test } from 'vitest';

import type { Member } from '../machine/command.ts';
import { type DutyView, listDuties } from './pick-duty.ts';

function row(node: number, changes: Partial<Member> = {}): Member {
  return {
    node,
    incarnation: node * 10,
    level: 1,
    isToBePromoted: false,
    peerAddress: `p${node}`,
    clientAddress: `c${node}`,
    ...changes,
  };
}

/** Node 1 leads 2 and 3, whose rows are all there; it has met nobody. */
function view(changes: Partial<DutyView> = {}): DutyView {
  return {
    self: row(1),
    configuration: { ...EMPTY_CONFIGURATION, voters: [1, 2, 3] },
    nodes: [1, 2, 3],
    rows: [row(1), row(2), row(3)],
    met: () => undefined,
    wasRemoved: () => false,
    groupLevel: 1,
    ...changes,
  };
}

describe('listDuties', () => {
  test('has nothing to do where the rows say what there is', () => {
    expect(listDuties(view())).toEqual([]);
    expect(listDuties(view({ met: (node) => row(node) }))).toEqual([]);
  });

  test('writes rows that are missing, in the order of the nodes, as far as it knows them', () => {
    const duties = listDuties(view({ rows: [], met: (node) => (node === 3 ? row(3) : undefined) }));

    expect(duties).toEqual([
      { kind: 'put-member', member: row(1) },
      { kind: 'put-member', member: row(3) },
    ]);
  });

  test.each<[string, Partial<Member>]>([
    ['level', { level: 2 }],
    ['address for nodes', { peerAddress: 'x' }],
    ['address for clients', { clientAddress: 'x' }],
  ])('writes a row anew whose %s has changed', (_what, changes) => {
    const duties = listDuties(view({ met: (node) => (node === 2 ? row(2, changes) : undefined) }));

    expect(duties).toEqual([{ kind: 'put-member', member: row(2, changes) }]);
  });

  test('fills in a directory that is not known, and changes none that is', () => {
    const rows = [row(1), row(2, { incarnation: 0 }), row(3)];

    const duties = listDuties(view({ rows, met: (node) => row(node, { incarnation: 77 }) }));

    expect(duties).toEqual([{ kind: 'put-member', member: row(2, { incarnation: 77 }) }]);
  });

  test('does not fill in a directory that was removed, nor its own over another', () => {
    const rows = [row(1, { incarnation: 9 }), row(2, { incarnation: 0 }), row(3)];
    const wasRemoved = (node: number, incarnation: number): boolean => node === 2 && incarnation === 20;

    expect(listDuties(view({ rows, met: (node) => row(node), wasRemoved }))).toEqual([]);
  });

  test('keeps addresses that a member does not say', () => {
    const met = (node: number): Member => row(node, { peerAddress: '', clientAddress: '' });

    expect(listDuties(view({ met }))).toEqual([]);
  });

  test('keeps the mark of a learner that is to vote, and takes it from a voter', () => {
    const rows = [row(1), row(2, { isToBePromoted: true }), row(3, { isToBePromoted: true })];
    const configuration = { ...EMPTY_CONFIGURATION, voters: [1, 2], learners: [3] };

    const duties = listDuties(view({ rows, configuration, met: (node) => row(node) }));

    expect(duties).toEqual([{ kind: 'put-member', member: row(2) }]);
  });

  test('drops rows of nodes that are in no part of the configuration', () => {
    expect(listDuties(view({ rows: [row(1), row(2), row(3), row(7)] }))).toEqual([{ kind: 'drop-member', node: 7 }]);
  });

  test.each([
    ['all know a higher one', 4, [4, 3, 5], 1, 3],
    ['this program knows less than the others', 2, [2, 3, 3], 1, 2],
    ['one does not', 4, [4, 2, 4], 2, undefined],
  ])('raises the level when %s', (_what, ownLevel, levels, groupLevel, expected) => {
    const rows = levels.map((level, i) => row(i + 1, { level }));

    const duties = listDuties(view({ self: row(1, { level: ownLevel }), rows, groupLevel }));

    expect(duties).toEqual(expected === undefined ? [] : [{ kind: 'raise-level', level: expected }]);
  });

  test('does not raise the level while a member is not known', () => {
    const rows = [row(1, { level: 2 }), row(2, { level: 2 })];

    expect(listDuties(view({ self: row(1, { level: 2 }), rows }))).toEqual([]);
  });
});
