/** The command `raft:script`: what it prints, and how it ends. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, onTestFinished, test } from 'vitest';

import { runFiles } from '../src/run-files.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

interface Run {
  readonly exitCode: number;
  readonly printed: string;
  readonly complained: string;
}

/** Runs scripts of these texts, named `1.txt`, `2.txt` and so on; in what is printed their folder is `DIR`. */
function run(...scripts: readonly string[]): Run {
  const folder = scriptFolder(scripts);
  let printed = '';
  let complained = '';
  const files = scripts.map((_text, at) => join(folder, `${at + 1}.txt`));
  const exitCode = runFiles(files, { print: (text) => (printed += text), complain: (text) => (complained += text) });
  return { exitCode, printed: printed.replaceAll(folder, 'DIR'), complained: complained.replaceAll(folder, 'DIR') };
}

function scriptFolder(scripts: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'kayadb-raft-script-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [at, text] of scripts.entries()) writeFileSync(join(folder, `${at + 1}.txt`), text);
  return folder;
}

const VOTE = 'vote cfg=(1,2,3) votes=(y,y,_)\n----\nVoteWon\n';
const WRONG = '# a comment\n\npropose-conf-change 1 \\\n  v1=true\nv2\n----\nok\n';
const NODE = 'add-nodes 1 voters=(1) index=2\n----\nok\n\n';

describe('raft:script', () => {
  test('ends with 0 and the totals of all files when nothing differs', () => {
    const { exitCode, printed, complained } = run(VOTE, `${VOTE}\n${VOTE}`);

    expect({ exitCode, printed, complained }).toEqual({
      exitCode: 0,
      printed: '3 directives, 0 differ\n',
      complained: '',
    });
  });

  test('prints what was expected and what came, and ends with 1, when something differs', () => {
    const { exitCode, printed } = run(VOTE, `log-level none\n----\nok\n\n${NODE}${WRONG}`);

    expect(exitCode).toBe(1);
    expect(printed.split('\n')).toEqual([
      'DIR/2.txt:11: propose-conf-change 1  v1=true',
      '  v2',
      'expected:',
      '  ok',
      'got:',
      '  raft proposal dropped',
      '4 directives, 1 differ',
      '',
    ]);
  });

  test.each([
    [
      'a directive without a separator',
      `${VOTE}\nvote cfg=(1)\n`,
      'DIR/1.txt:5: the directive has no line ---- behind it',
    ],
    ['an argument that is none', 'vote =(1)\n----\n', 'DIR/1.txt:1: cannot parse directive at column 6: vote =(1)'],
    [
      'a list that is not closed',
      '\nvote cfg=(1\n----\n',
      'DIR/1.txt:2: cannot parse directive at column 6: vote cfg=(1',
    ],
    [
      'doubled separators that are not closed',
      'vote\n----\n----\nVoteWon\n',
      'DIR/1.txt:3: the doubled ---- is not closed',
    ],
    ['a word of another language', `${VOTE}\nsimple\n----\n`, 'DIR/1.txt:5: simple: unknown command: simple'],
    ['a node that is not there', 'status 7\n----\nok\n', 'DIR/1.txt:1: status 7: there is no node 7'],
    ['a number that is none', 'campaign one\n----\nok\n', 'DIR/1.txt:1: campaign one: "one" is no integer'],
  ])('ends with 2 and a sentence that names the line, of %s', (_what, text, sentence) => {
    const { exitCode, printed, complained } = run(text);

    expect(exitCode).toBe(2);
    expect(printed).toBe('');
    expect(complained).toContain(sentence);
    expect(complained.trimEnd()).not.toContain('\n');
  });

  test('ends with 2 and a sentence, of a file that cannot be read and of none at all', () => {
    const complaints: string[] = [];
    const output = { print: () => undefined, complain: (text: string) => complaints.push(text) };

    expect(runFiles(['/nowhere/script.txt'], output)).toBe(2);
    expect(runFiles([], output)).toBe(2);
    expect(complaints.join('')).toContain('/nowhere/script.txt cannot be read: ENOENT');
    expect(complaints.join('')).toContain('needs the names of script files');
  });

  test('is a program of its own', { timeout: 120_000 }, () => {
    const file = join(scriptFolder([VOTE]), '1.txt');

    const args = ['--import', 'tsx', '--conditions=@kayadb/source', 'private/raft-exam/src/main.ts', file];

    expect(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' })).toBe('1 directives, 0 differ\n');
  });
});
