import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, test, vi } from 'vitest';

import { parseTranscript, printTranscript, runTranscript, type TranscriptCommand } from './transcript.ts';

const commands: Readonly<Record<string, TranscriptCommand>> = {
  echo: ({ args }) => args.join('|'),
  upper: ({ input }) => input.join('\n').toUpperCase(),
  lines: ({ args }) => args.join('\n\n'),
  fail: ({ args }) => {
    throw Object.assign(new Error('it is broken'), args[0] === undefined ? {} : { code: args[0] });
  },
  claim: () => {
    expect(1).toBe(2);
    return 'never';
  },
};

describe('runTranscript', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('agrees with a file that says what the commands say', async () => {
    const file = new URL('../test/golden/transcript.txt', import.meta.url);

    const run = runTranscript(file, commands);

    await expect(run).resolves.toBeUndefined();
  });

  test('rewrites the expected text when KAYA_UPDATE_GOLDEN is 1', async () => {
    await using file = await temporaryFile('# A story.\necho a b\n----\nstale\n');
    vi.stubEnv('KAYA_UPDATE_GOLDEN', '1');

    await runTranscript(file.path, commands);

    expect(await readFile(file.path, 'utf8')).toBe('# A story.\necho a b\n----\na|b\n');
  });

  test('refuses a command that nobody knows', async () => {
    await using file = await temporaryFile('toString\n----\n');

    const run = runTranscript(file.path, commands);

    await expect(run).rejects.toThrow('unknown command "toString"');
  });

  test('does not take a failed assertion for output', async () => {
    await using file = await temporaryFile('claim\n----\nnever\n');

    const run = runTranscript(file.path, commands);

    await expect(run).rejects.toThrow('expected 1 to be 2');
  });
});

describe('parseTranscript', () => {
  test('takes a step apart: story, command, quoted words, input and expected text', () => {
    const text = '# one\n# two\nput "a b" c\nfirst\nsecond\n----\nok\nfine\n';

    const steps = parseTranscript(text, 'x.txt');

    expect(steps).toEqual([
      {
        story: ['one', 'two'],
        name: 'put',
        args: ['a b', 'c'],
        lines: ['put "a b" c', 'first', 'second'],
        input: ['first', 'second'],
        expected: 'ok\nfine',
      },
    ]);
  });

  test.each(['', 'one line', 'two\nlines', 'a\n\nblank', '\nedge', 'edge\n', '----', 'a\n----\nb'])(
    'reads back the output %j as it was printed',
    (expected) => {
      const step = { story: ['s'], name: 'x', args: [], lines: ['x'], input: [], expected };

      const back = parseTranscript(printTranscript([step, step]), 'x.txt');

      expect(back).toEqual([step, step]);
    },
  );

  test('names the line of a step without a divider', () => {
    const parse = (): unknown => parseTranscript('echo\n----\n\necho b\n', 'x.txt');

    expect(parse).toThrow('x.txt:4: a step needs a line "----"');
  });
});

async function temporaryFile(text: string): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'kaya-transcript-'));
  const path = join(folder, 'golden.txt');
  await writeFile(path, text);
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
