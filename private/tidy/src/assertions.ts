/** What a test may not be: without an assertion, switched off, or waiting for the clock. */

import { lineAt, maskAll } from './mask.ts';
import { isTest, type TextFile } from './repository.ts';

/** Functions that assert for their caller. A helper belongs here if it fails the test when its claim is false. */
const ASSERTING_HELPERS: readonly string[] = ['expect\\w*', 'assert\\w*', 'runTranscript', 'checkOps'];

const TEST_CALL = /(?<![\w$.])(?:test|it)((?:\.\w+)*)\s*(?=[(`])/g;
const ASSERTION = new RegExp(String.raw`\b(?:${ASSERTING_HELPERS.join('|')})\s*(?:<[^()]*>)?[.(]`);

/** `path:line: reason` for each fault. Reads `*.test.ts` and what suites share. */
export function findBadTests(files: readonly TextFile[]): readonly string[] {
  return files
    .filter(({ path, text }) => isTest(path) || /from 'vitest'/.test(text))
    .flatMap((file) => [...withoutAssertion(file), ...switchedOff(file), ...sleeping(file)]);
}

function withoutAssertion({ path, text }: TextFile): readonly string[] {
  const code = maskAll(text);
  return [...code.matchAll(TEST_CALL)].flatMap((match) => {
    const end = endOfCalls(code, match.index + match[0].length);
    const block = code.slice(match.index, end);
    const isTestWithBody = block.includes('=>') || block.includes('function');
    return isTestWithBody && !ASSERTION.test(block) ? [`${path}:${lineAt(text, match.index)}: no assertion`] : [];
  });
}

function switchedOff({ path, text }: TextFile): readonly string[] {
  const code = maskAll(text);
  const off = [...code.matchAll(/\b(?:test|it|describe|suite)(?:\.\w+)*\.(?:skip|only|todo|fails)\b/g)];
  const inside = [...code.matchAll(/\b(?:context|ctx|task)\.skip\s*\(/g)];
  const unnamed = [...code.matchAll(/\b(?:test|it|describe)(?:\.\w+)*\.(?:skipIf|runIf)\s*\(\s*(?!!?[\w$.]+\s*\))/g)];
  return [
    ...[...off, ...inside].map((match) => `${path}:${lineAt(text, match.index)}: ${match[0]}: switched off`),
    ...unnamed.map((match) => `${path}:${lineAt(text, match.index)}: a condition needs a name that gives the reason`),
  ];
}

/** A timer whose callback is a bare name (`setTimeout(resolve, ...)`) is a sleep; one with a body is a deadline. */
function sleeping({ path, text }: TextFile): readonly string[] {
  const code = maskAll(text);
  const timers = [...code.matchAll(/\bsetTimeout\s*\(\s*(?:[\w$.]+\s*[,)]|\(\)\s*=>\s*(?:resolve|done)\b)/g)];
  const named = [...code.matchAll(/\bawait\s+(?:[\w$]+\.)?(?:sleep|delay|setTimeout)\s*\(/g)];
  return [...timers, ...named].map(
    (match) => `${path}:${lineAt(text, match.index)}: a test waits for an event, not for time`,
  );
}

/** From the bracket after `test`, past every call that is chained on, as in `test.each(table)(title, body)`. */
function endOfCalls(code: string, start: number): number {
  let at = start;
  while (code[at] === '(' || code[at] === '`') {
    at = code[at] === '(' ? closingBracket(code, at) + 1 : code.indexOf('`', at + 1) + 1;
    if (at <= 0) return code.length;
    while (/\s/.test(code[at] ?? '')) at++;
  }
  return at;
}

function closingBracket(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    if (code[at] === '(') depth++;
    if (code[at] === ')' && --depth === 0) return at;
  }
  return code.length;
}
