/** One file of a node's directory taken apart, as text: facts, then what is wrong, then a line for each record and entry. And the rows of its state machine. */

import type { InspectedEntry, InspectedRaftRecord, MachineRows, NodeFileInspection } from '@kayadb/server';

import { formatTable } from '../table-text.ts';

type Fact = readonly [name: string, value: string | number | null];

/** @param name - Of the file. */
export async function describeNodeFile(name: string, inspection: NodeFileInspection): Promise<string> {
  const facts: readonly Fact[] = [
    ['name', name],
    ['kind', inspection.kind],
    ['bytes', inspection.bytes],
    ...(inspection.kind === 'node' ? [] : headerFacts(inspection.header)),
    ...contentFacts(inspection),
  ];
  const sections = [
    factLines(facts),
    inspection.damage.map(({ offset, reason }) => `DAMAGE: at offset ${offset}: ${reason}`).join('\n'),
    describeTail(inspection),
    await describePieces(inspection),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

export async function describeMachineRows(directory: string, rows: MachineRows): Promise<string> {
  const { appliedIndex, index, term, timeMs, level, members, gone, sessions } = rows;
  const sections = [
    factLines([
      ['directory', directory],
      ['state of entry', appliedIndex],
      ['last command', `entry ${index} of term ${term}`],
      ['time', timeText(timeMs)],
      ['level', level],
    ]),
    await tableOf(
      ['MEMBER', 'INCARNATION', 'LEVEL', 'NODES AT', 'CLIENTS AT'],
      members.map((member) => [
        member.node,
        member.incarnation,
        member.level,
        member.peerAddress || '-',
        member.clientAddress || '-',
      ]),
    ),
    await tableOf(
      ['GONE', 'INCARNATION', 'SINCE ENTRY'],
      gone.map((each) => [each.node, each.incarnation, each.index]),
    ),
    await tableOf(
      ['SESSION', 'EXPIRY MS', 'LAST USED', 'ANSWERS'],
      sessions.map(({ id, expiryMs, usedMs, answerCount }) => [id, expiryMs, timeText(usedMs), answerCount]),
    ),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function headerFacts(header: Exclude<NodeFileInspection, { readonly kind: 'node' }>['header']): readonly Fact[] {
  return [
    ['header', header.checksum],
    ['cluster', header.cluster],
    ['node', header.node],
    ['incarnation', header.incarnation],
    ['segment', header.segment],
    ['startLsn', header.startLsn],
    ['firstIndex', header.firstIndex],
    ['previousTerm', header.previousTerm],
  ];
}

function contentFacts(inspection: NodeFileInspection): readonly Fact[] {
  switch (inspection.kind) {
    case 'node': {
      const { node } = inspection;
      if (node === null) return [];
      return [
        ['node', node.id],
        ['incarnation', node.incarnation],
        ['boot', node.boot],
        ['cluster', node.cluster ?? 'none yet'],
        ['removed', node.removed ? 'yes' : null],
      ];
    }
    case 'raft-log':
      return [
        ['records', inspection.records.length],
        ['entries', inspection.records.reduce((sum, { entries }) => sum + entries.length, 0)],
      ];
    case 'raft-state':
      return [
        ['term', inspection.term],
        ['vote', inspection.vote],
      ];
    case 'raft-snapshot':
    case 'transfer': {
      const { snapshot } = inspection;
      if (snapshot === null) return [];
      const { voters, votersOutgoing, learners } = snapshot.configuration;
      return [
        ['index', snapshot.index],
        ['term', snapshot.term],
        ['voters', voters.join(', ')],
        ['votersOutgoing', votersOutgoing.length === 0 ? null : votersOutgoing.join(', ')],
        ['learners', learners.length === 0 ? null : learners.join(', ')],
      ];
    }
    case 'progress':
      return inspection.place === null
        ? []
        : [['arrived', `${inspection.place.file} files, and ${inspection.place.offset} bytes of the next`]];
  }
}

function describeTail(inspection: NodeFileInspection): string {
  if (inspection.kind !== 'raft-log' || inspection.tail === null || inspection.tail.kind === 'blank') return '';
  const { offset, reason, kind } = inspection.tail;
  return kind === 'torn'
    ? `TORN: at offset ${offset}: ${reason}; nothing behind it says that it had been durable, as far as this file can tell`
    : `END: at offset ${offset}: ${reason}; what stands behind it is of what the file held before, or a record that was hardly begun`;
}

async function describePieces(inspection: NodeFileInspection): Promise<string> {
  switch (inspection.kind) {
    case 'raft-log':
      return describeLog(inspection);
    case 'raft-state':
      return tableOf(
        ['SLOT', 'OFFSET', 'CHECKSUM', 'VERSION', 'TERM', 'VOTE'],
        inspection.slots.map(({ slot, offset, version, term, vote }) => [
          slot,
          offset,
          version === null ? 'damaged' : 'ok',
          version,
          term,
          vote,
        ]),
      );
    case 'raft-snapshot':
    case 'transfer':
      return tableOf(
        ['FILE', 'BYTES', 'CRC'],
        inspection.files.map(({ name, bytes, crc }) => [name, bytes, crc.toString(16).padStart(8, '0')]),
      );
    case 'node':
    case 'progress':
      return '';
  }
}

const LOG_HEAD = ['OFFSET', 'RECORD', 'CHECKSUM', 'INDEX', 'TERM', 'KIND', 'BYTES', 'COMMAND'];

type Row = readonly [offset: number, cells: readonly string[]];

/** Records, the entries in them, and gaps, in the order of the file. */
function describeLog({ records, gaps }: Extract<NodeFileInspection, { readonly kind: 'raft-log' }>): Promise<string> {
  const rows: Row[] = [];
  for (const record of records) rows.push([record.offset, recordCells(record)], ...record.entries.map(entryRow));
  for (const { offset, bytes, reason, entries } of gaps) {
    rows.push([offset, [String(offset), `${bytes} bytes`, 'damaged', reason]], ...entries.map(entryRow));
  }
  return formatTable(
    LOG_HEAD,
    rows.toSorted(([a], [b]) => a - b).map(([, cells]) => cells),
  );
}

function recordCells({
  offset,
  kind,
  firstIndex,
  previousTerm,
  commit,
  durableLsn,
}: InspectedRaftRecord): readonly string[] {
  const what = kind === 'reset' ? `the log is empty, and goes on at ${firstIndex}` : `from ${firstIndex} on`;
  return [
    String(offset),
    kind,
    'ok',
    `${what} behind term ${previousTerm}; committed ${commit}, durable below LSN ${durableLsn}`,
  ];
}

function entryRow({ offset, index, term, kind, dataBytes, checksum, command }: InspectedEntry): Row {
  return [
    offset,
    [String(offset), '', checksum, String(index), String(term), kind, String(dataBytes), commandText(command)],
  ];
}

function commandText(command: InspectedEntry['command']): string {
  if (command === null) return '-';
  const { kind, session, serial, node, conditionCount, operationCount, otherwiseCount, operations } = command;
  const words: string[] = [kind];
  if (session !== null) words.push(`session ${session}${serial === null ? '' : `.${serial}`}`);
  if (node !== null) words.push(`node ${node}`);
  if (kind === 'write') words.push(`${operationCount} operations`);
  if (conditionCount > 0) words.push(`${conditionCount} conditions`);
  if (otherwiseCount > 0) words.push(`${otherwiseCount} otherwise`);
  for (const operation of operations ?? []) {
    const sign = operation.kind === 'put' ? '' : '-';
    words.push(
      `${sign}hex:${operation.key}${operation.endKey === null ? '' : `..${operation.endKey === '' ? '' : `hex:${operation.endKey}`}`}`,
    );
  }
  return words.join(' ');
}

function tableOf(head: readonly string[], rows: readonly (readonly (string | number | null)[])[]): Promise<string> {
  if (rows.length === 0) return Promise.resolve('');
  return formatTable(
    head,
    rows.map((row) => row.map((cell) => (cell === null ? '-' : String(cell)))),
  );
}

function factLines(facts: readonly Fact[]): string {
  return facts
    .filter(([, value]) => value !== null)
    .map(([fact, value]) => `${fact} ${value}`)
    .join('\n');
}

function timeText(timeMs: number): string {
  return timeMs <= 8.64e15 ? new Date(timeMs).toISOString() : String(timeMs);
}
