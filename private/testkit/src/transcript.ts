/**
 * Transcripts: tests as text files that a person can read from top to bottom. A file is a list of steps, blank lines
 * between them; a step is a story in `#` lines, a command with optional input lines, `----`, and the expected output.
 *
 *     # A key that was put is found.
 *     get k
 *     ----
 *     v
 *
 * Output that holds a blank line, or is empty at its edges, stands between two `----` lines and two more.
 * `vitest -u` or `KAYA_UPDATE_GOLDEN=1` rewrites the expected text; the diff is then for a person to judge.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { expect } from 'vitest';

const DIVIDER = '----';

export interface TranscriptStep {
  /** Lines that begin with `#`, without it. */
  readonly story: readonly string[];
  /** First word of the command line. */
  readonly name: string;
  /** Further words; one in double quotes may hold spaces. */
  readonly args: readonly string[];
  /** The command line and the lines after it, as written. */
  readonly lines: readonly string[];
  /** The lines between the command line and `----`. */
  readonly input: readonly string[];
  readonly expected: string;
}

/** Carries out one step and returns its output; a final newline does not count. */
export type TranscriptCommand = (step: TranscriptStep) => string | Promise<string>;

/**
 * Runs every step of a file in order and compares the output with the expected text, all at once, so that a diff shows
 * every step that changed. An error that a command throws is output too: `error CODE: message`, or its name when it has
 * no code; a failed assertion is not, and fails the test.
 *
 * @param file - Path or `new URL('../test/golden/x.txt', import.meta.url)`.
 * @throws SyntaxError when the file has an unknown command or a step without `----`.
 */
export async function runTranscript(
  file: string | URL,
  commands: Readonly<Record<string, TranscriptCommand>>,
): Promise<void> {
  const path = typeof file === 'string' ? file : fileURLToPath(file);
  const steps = parseTranscript(await readFile(path, 'utf8'), path);
  const actual: TranscriptStep[] = [];
  for (const step of steps) {
    const command = Object.hasOwn(commands, step.name) ? commands[step.name] : undefined;
    if (command === undefined) throw new SyntaxError(`${path}: unknown command "${step.name}"`);
    actual.push({ ...step, expected: await outputOf(command, step) });
  }
  const text = printTranscript(actual);
  if (process.env['KAYA_UPDATE_GOLDEN'] === '1') await writeFile(path, text);
  await expect(text).toMatchFileSnapshot(path);
}

/** @throws SyntaxError naming the file and the step that has no `----` or no command. */
export function parseTranscript(text: string, path: string): TranscriptStep[] {
  const lines = text.split('\n');
  const steps: TranscriptStep[] = [];
  let at = 0;
  for (;;) {
    while (at < lines.length && lines[at] === '') at++;
    if (at === lines.length) return steps;
    const divider = lines.indexOf(DIVIDER, at);
    if (divider < 0) throw new SyntaxError(`${path}:${at + 1}: a step needs a line "${DIVIDER}" after its command`);
    const head = lines.slice(at, divider);
    const body = readBody(lines, divider + 1);
    steps.push(toStep(head, body.text, `${path}:${at + 1}`));
    at = body.next;
  }
}

function readBody(lines: readonly string[], start: number): { readonly text: string; readonly next: number } {
  if (lines[start] === DIVIDER) {
    let end = start + 1;
    while (end < lines.length && !closesFence(lines, end)) end++;
    return { text: lines.slice(start + 1, end).join('\n'), next: Math.min(end + 2, lines.length) };
  }
  let end = start;
  while (end < lines.length && lines[end] !== '') end++;
  return { text: lines.slice(start, end).join('\n'), next: end };
}

/** Two dividers with a blank line or the end of the file after them; dividers inside the output have neither. */
function closesFence(lines: readonly string[], at: number): boolean {
  return lines[at] === DIVIDER && lines[at + 1] === DIVIDER && (lines[at + 2] ?? '') === '';
}

function toStep(head: readonly string[], expected: string, where: string): TranscriptStep {
  const storyEnd = head.findIndex((line) => !line.startsWith('#'));
  if (storyEnd < 0) throw new SyntaxError(`${where}: a step needs a command line above "${DIVIDER}"`);
  const lines = head.slice(storyEnd);
  const [name = '', ...args] = splitWords(lines[0] ?? '');
  return {
    story: head.slice(0, storyEnd).map((line) => line.slice(1).trim()),
    name,
    args,
    lines,
    input: lines.slice(1),
    expected,
  };
}

function splitWords(line: string): string[] {
  return Array.from(line.matchAll(/"([^"]*)"|(\S+)/g), ([, quoted, bare]) => quoted ?? bare ?? '');
}

/** The file's text; `parseTranscript` reads it back. */
export function printTranscript(steps: readonly TranscriptStep[]): string {
  const blocks = steps.map(({ story, lines, expected }) => {
    const fenced = expected !== '' && expected.split('\n').some((line) => line === '' || line === DIVIDER);
    const body = fenced ? [DIVIDER, DIVIDER, expected, DIVIDER, DIVIDER] : [DIVIDER, expected];
    return [...story.map((line) => `# ${line}`.trimEnd()), ...lines, ...body].join('\n').trimEnd();
  });
  return blocks.length === 0 ? '' : `${blocks.join('\n\n')}\n`;
}

async function outputOf(command: TranscriptCommand, step: TranscriptStep): Promise<string> {
  try {
    return (await command(step)).replace(/\n$/, '');
  } catch (error) {
    if (!(error instanceof Error) || error.name === 'AssertionError') throw error;
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
    return `error ${code}: ${error.message}`;
  }
}
