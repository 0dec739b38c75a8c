/** The language of scripts, beyond what the public ones use of it. */

import { describe, expect, test } from 'vitest';

import { runScript } from '../src/run-script.ts';
import { parseLine } from '../src/script/parse-line.ts';
import { parseScript } from '../src/script/parse-script.ts';
import { quote } from '../src/words/quote.ts';

/** What the last directive of a script prints. */
function lastOutput(...directives: readonly string[]): string {
  const text = directives.map((directive) => `${directive}\n----\n?\n`).join('\n');
  const { differences } = runScript(text);
  expect(differences).toHaveLength(directives.length);
  return differences.at(-1)!.got;
}

const THREE = 'add-nodes 3 voters=(1,2,3) index=10';

describe('a line', () => {
  test('has arguments without, with one, and with several values', () => {
    const line = parseLine('  cmd  a b=c d= e=(1, 2 ,3) f=(a+(b,c), d) g=(x) h=() ');

    expect(line).toEqual({
      command: 'cmd',
      args: [
        { key: 'a', values: [] },
        { key: 'b', values: ['c'] },
        { key: 'd', values: [''] },
        { key: 'e', values: ['1', '2', '3'] },
        { key: 'f', values: ['a+(b,c)', 'd'] },
        { key: 'g', values: ['x'] },
        { key: 'h', values: [''] },
      ],
    });
  });
});

describe('a script', () => {
  test('has directives with input and expected output, comments, continued lines and doubled separators', () => {
    const text = [
      '# comment',
      '',
      'one \\',
      '  a=1 \\',
      '  b',
      'input # not a comment',
      '',
      'more',
      '----',
      'expected',
      '# too',
      '',
      'subtest name',
      'two',
      '----',
      '----',
      'first',
      '',
      '----',
      'last',
      '----',
      '----',
      '',
      'three',
      '----',
    ].join('\n');

    expect(parseScript(text)).toMatchObject([
      {
        line: 3,
        command: 'one',
        args: [{ key: 'a' }, { key: 'b' }],
        input: 'input # not a comment\n\nmore',
        expected: 'expected\n# too\n',
      },
      { line: 14, command: 'two', input: '', expected: 'first\n\n----\nlast\n' },
      { line: 24, command: 'three', expected: '' },
    ]);
  });
});

describe('quote', () => {
  test.each([
    ['a word', new TextEncoder().encode('foo'), '"foo"'],
    ['nothing', new Uint8Array(), '""'],
    ['quotes and backslashes', new TextEncoder().encode('a"b\\'), String.raw`"a\"b\\"`],
    ['control characters', Uint8Array.of(0, 7, 10, 13, 9, 127), String.raw`"\x00\a\n\r\t\x7f"`],
    ['bytes that are no characters', Uint8Array.of(0xff, 0x41, 0xc3), String.raw`"\xffA\xc3"`],
    ['letters of other alphabets', new TextEncoder().encode('żλ😀'), '"żλ😀"'],
    ['what cannot be seen', new TextEncoder().encode('\u00a0\u200b'), String.raw`"\u00a0\u200b"`],
  ])('writes %s', (_what, bytes, text) => {
    expect(quote(bytes)).toBe(text);
  });
});

describe('quorum scripts', () => {
  test('print an empty quorum, and votes that are too many or too few', () => {
    expect(lastOutput('committed')).toBe('<empty majority quorum>∞\n');
    expect(lastOutput('committed cfg=(2,1) idx=(5)')).toBe(
      'error: mismatched input (explicit or _) for voters map[1:{} 2:{}]: [5]\n',
    );
  });
});

describe('membership scripts', () => {
  test.each([
    ['simple\nx1', 'unknown input: x1'],
    ['simple\nv', 'unknown token v'],
    ['simple\nv1x', 'strconv.ParseUint: parsing "1x": invalid syntax'],
    ['simple\nv99999999999999999999', 'strconv.ParseUint: parsing "99999999999999999999": value out of range'],
    ['leave-joint\nv1', 'this command takes no input'],
  ])('answer %j by an error', (directive, message) => {
    expect(lastOutput(directive)).toBe(`${message}\n`);
  });
});

describe('interaction scripts', () => {
  test.each([
    ['dance 1', 'unknown command'],
    ['_breakpoint', 'ok'],
    ['log-level loud', 'log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]'],
    ['stabilize log-level=loud', 'log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]'],
    ['add-nodes 1 voters=(1) index=1', 'index must be specified as > 1 due to bootstrap'],
    ['add-nodes 1 read-only=maybe', 'invalid read-only option "maybe"'],
    ['propose-conf-change 1 v1=true\nv1 v2', 'v1 conf change can only have one operation and no transition'],
    ['propose-conf-change 1 v1=perhaps\nv1', 'strconv.ParseBool: parsing "perhaps": invalid syntax'],
    ['propose-conf-change 1 transition=slow', 'unknown transition slow'],
    ['propose-conf-change 1 fast=true', 'unknown command fast'],
    ['report-unreachable 1', 'must specify exactly two node indexes: node on which to report, and reported node'],
    ['compact 1 10', 'requested index is unavailable due to compaction'],
    ['raft-log 1', 'log is empty: first index=11, last index=10'],
    ['process-append-thread 1', 'no append work to perform'],
    ['process-apply-thread 1', 'no apply work to perform'],
    ['deliver-msgs 1 drop=(2)', 'no messages'],
    ['process-ready 1', '<empty Ready>'],
    ['status 1', 'ok'],
    ['campaign 7', 'node index 6 out of range [0, 3)'],
    ['propose 1 foo', 'INFO 1 no leader at term 0; dropping proposal\nraft proposal dropped'],
  ])('answer %j by %j', (directive, answer) => {
    expect(lastOutput(THREE, directive)).toBe(`${answer}\n`);
  });

  test('print errors and nothing else at level none', () => {
    expect(lastOutput('log-level none', THREE, 'propose 1 foo')).toBe('raft proposal dropped\n');
    expect(lastOutput('log-level none', THREE, 'raft-state')).toBe('ok\n');
  });

  test('print log lines from the level in force on, and all else', () => {
    const warning = 'WARN 4 is unpromotable and can not campaign';

    expect(lastOutput('log-level warn', THREE, 'add-nodes 1', 'campaign 4')).toBe(`${warning}\n`);
    expect(lastOutput('log-level ERROR', THREE, 'add-nodes 1', 'campaign 4')).toBe('ok\n');
  });

  test('write ids in hexadecimal where nodes speak, in decimal where the script does', () => {
    const many = 'add-nodes 10 voters=(1,2,3,4,5,6,7,8,9,10) index=10';

    expect(lastOutput('log-level none', many, 'log-level info', 'campaign 10')).toContain(
      'INFO a [logterm: 1, index: 10] sent MsgVote request to 9 at term 1\n',
    );
    expect(lastOutput(many, 'raft-state')).toContain('10: StateFollower (Voter) Term:0 Lead:0\n');
  });

  test('tell of a refused change of either form in the words of the newer one', () => {
    const leader = ['log-level none', 'add-nodes 2 voters=(1,2) index=2', 'campaign 1', 'stabilize', 'log-level info'];
    const refusal = 'possible unapplied conf change at index 4 (applied to 3)';

    const output = lastOutput(...leader, 'propose-conf-change 1\nl3', 'propose-conf-change 1 v1=true\nr2');

    expect(output).toBe(
      'INFO 1 ignoring conf change transition:ConfChangeTransitionAuto changes:{type:ConfChangeRemoveNode node_id:2} ' +
        `at config voters=(1 2): ${refusal}\n`,
    );
  });

  test('hand out as many committed entries as their encoding fits in the limit', () => {
    const one = (limit: number): string =>
      lastOutput(
        'log-level none',
        `add-nodes 1 voters=(1) index=2 max-committed-size-per-ready=${limit}`,
        'campaign 1',
        'stabilize',
        'propose 1 foo',
        'propose 1 bar',
        'process-ready 1',
        'log-level info',
        'process-ready 1',
      );

    // Term, index and data of three bytes: 2 + 2 + 5 for each.
    expect(one(17)).toContain('CommittedEntries:\n1/4 EntryNormal "foo"\n');
    expect(one(17)).not.toContain('bar');
    expect(one(18)).toContain('CommittedEntries:\n1/4 EntryNormal "foo"\n1/5 EntryNormal "bar"\n');
  });

  test('print what breaks in a core as the answer, with the line', () => {
    const nodes = ['log-level none', 'add-nodes 1 voters=(1) index=2', 'campaign 1', 'stabilize', 'log-level info'];

    const output = lastOutput(...nodes, 'propose-conf-change 1\nr1', 'stabilize');

    expect(output).toContain('AssertionError: a change of the configuration can not be applied: removed all voters');
  });
});
