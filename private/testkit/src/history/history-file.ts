/**
 * Histories as JSON lines: one line when an operation is called, one when it has its outcome, one for each note, in the order in which they happened.
 * A run that is cut short leaves a file that reads as far as it came.
 */

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

import type { History, Note, Operation } from './operation.ts';

type CallEvent = Pick<Operation, 'id' | 'client' | 'action'> & { readonly event: 'call'; readonly us: number };
type ReturnEvent = Pick<Operation, 'id' | 'outcome'> & { readonly event: 'return'; readonly us: number };
type NoteEvent = Pick<Note, 'text'> & { readonly event: 'note'; readonly us: number };

export type HistoryEvent = CallEvent | ReturnEvent | NoteEvent;

export interface HistoryFile extends Disposable {
  /** In the file when it returns, so that it outlives this process. */
  append(event: HistoryEvent): void;
}

/** @throws Error when the file exists already. */
export function createHistoryFile(path: string): HistoryFile {
  const handle = openSync(path, 'wx');
  return {
    append: (event) => void writeSync(handle, `${JSON.stringify(event)}\n`),
    [Symbol.dispose]: () => closeSync(handle),
  };
}

export function readHistoryFile(path: string): History {
  return parseHistory(readFileSync(path, 'utf8'));
}

/** The whole history as text, from which `parseHistory` makes it again. */
export function formatHistory({ operations, notes }: History): string {
  const events: HistoryEvent[] = notes.map(({ atUs, text }) => ({ event: 'note', us: atUs, text }));
  for (const { id, client, action, calledUs, returnedUs, outcome } of operations) {
    events.push({ event: 'call', us: calledUs, id, client, action });
    if (returnedUs !== undefined) events.push({ event: 'return', us: returnedUs, id, outcome });
  }
  const lines = events.toSorted((a, b) => a.us - b.us).map((event) => JSON.stringify(event));
  return lines.map((line) => `${line}\n`).join('');
}

/** A last line that does not end was never written whole, and is left out. @throws SyntaxError naming the line otherwise. */
export function parseHistory(text: string): History {
  const operations = new Map<number, Operation>();
  const notes: Note[] = [];
  for (const [at, line] of text.split('\n').slice(0, -1).entries()) {
    const event = parseEvent(line, at + 1);
    if (event.event === 'note') notes.push({ atUs: event.us, text: event.text });
    else if (event.event === 'call') {
      const { id, client, action, us } = event;
      operations.set(id, { id, client, action, calledUs: us } as Operation);
    } else {
      const called = operations.get(event.id);
      if (called === undefined) throw new SyntaxError(`line ${at + 1}: operation ${event.id} was not called`);
      operations.set(event.id, { ...called, returnedUs: event.us, outcome: event.outcome } as Operation);
    }
  }
  return { operations: [...operations.values()], notes };
}

function parseEvent(line: string, number: number): HistoryEvent {
  try {
    const event = JSON.parse(line) as HistoryEvent;
    if (['call', 'return', 'note'].includes(event.event) && Number.isSafeInteger(event.us)) return event;
  } catch (cause) {
    throw new SyntaxError(`line ${number} is not JSON`, { cause });
  }
  throw new SyntaxError(`line ${number} is not an event of a history: ${line}`);
}
