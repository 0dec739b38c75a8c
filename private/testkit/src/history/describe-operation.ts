/** Operations in words, one line each, for explanations of what went wrong. */

import type { Change, Condition, Operation, SeenRow, WriteAction } from './operation.ts';

/** Values that are longer show their end, where appended values differ. */
const MAX_VALUE_CHARACTERS = 24;

/** `#12 of client 3`. */
export function nameOperation({ id, client }: Operation): string {
  return `#${id} of client ${client}`;
}

/** `get x -> a at 5`, `if x at 5: put x=b -> at 7`. */
export function describeOperation(operation: Operation): string {
  const { action, outcome } = operation;
  return `${action.kind === 'read' ? `get ${action.keys.join(' ')}` : describeWrite(action)} -> ${describeOutcome(outcome)}`;
}

export function describeCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'exists':
      return `${condition.key} ${condition.exists ? 'exists' : 'is absent'}`;
    case 'value':
      return `${condition.key} is ${describeValue(condition.value)}`;
    case 'revision':
      return `${condition.key} is at ${condition.revision}`;
  }
}

export function describeRow(row: SeenRow | null): string {
  if (row === null) return 'absent';
  return row.revision === undefined ? describeValue(row.value) : `${describeValue(row.value)} at ${row.revision}`;
}

export function describeValue(value: string): string {
  return value.length > MAX_VALUE_CHARACTERS
    ? `...${value.slice(-MAX_VALUE_CHARACTERS)}`
    : JSON.stringify(value).slice(1, -1);
}

function describeWrite({ conditions, changes, otherwise }: WriteAction): string {
  const condition = conditions.length === 0 ? '' : `if ${conditions.map(describeCondition).join(' and ')}: `;
  const other = otherwise.length === 0 ? '' : ` else ${describeChanges(otherwise)}`;
  return `${condition}${describeChanges(changes)}${other}`;
}

function describeChanges(changes: readonly Change[]): string {
  const words = changes.map((change) =>
    change.kind === 'put' ? `put ${change.key}=${describeValue(change.value)}` : `delete ${change.key}`,
  );
  return words.length === 0 ? 'nothing' : words.join(', ');
}

function describeOutcome(outcome: Operation['outcome']): string {
  switch (outcome?.kind) {
    case 'rows':
      return outcome.rows.map(describeRow).join(', ');
    case 'written': {
      const done = outcome.failed === undefined ? 'done' : `condition ${outcome.failed} did not hold`;
      return outcome.revision === undefined ? done : `${done} at ${outcome.revision}`;
    }
    case 'not-done':
    case 'unknown':
      return `${outcome.kind} (${outcome.reason})`;
    case undefined:
      return 'no answer';
  }
}
