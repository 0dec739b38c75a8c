/** Holds docs/format/peer-handshake.md and the code to each other: constants, verdicts and test vectors. */

import { FormatPage, fromHex, toHex } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import {
  FORMATION_WAIT_MS,
  MAX_GREETING_BYTES,
  PEER_GREETING_MAGIC,
  PEER_STREAM,
  PEER_VERDICT,
} from '../src/peer/greeting-format.ts';
import { decodeGreeting, encodeGreeting, type Greeting } from '../src/peer/greeting.ts';

const page = new FormatPage('peer-handshake.md');

function parseGreeting(json: string): Greeting {
  const none = { cluster: undefined, addressee: undefined, addresseeIncarnation: undefined };
  return { ...none, ...(JSON.parse(json) as Greeting) };
}

describe('docs/format/peer-handshake.md', () => {
  test('names every constant with the value that the code has', () => {
    const inCode = { PEER_GREETING_MAGIC, MAX_GREETING_BYTES, FORMATION_WAIT_MS };

    const onPage = Object.fromEntries(page.rowsUnder('### Constants'));

    expect(onPage).toEqual(Object.fromEntries(Object.entries(inCode).map(([name, value]) => [name, String(value)])));
  });

  test('lists the verdicts and streams of the code', () => {
    const verdicts = [...page.text.matchAll(/^\| (\d) \| `([a-z-]+)` \|/gm)].map(([, code, name]) => [
      name,
      Number(code),
    ]);

    expect(verdicts).toEqual(Object.entries(PEER_VERDICT));
    expect(page.text).toContain(
      `stream: ${Object.entries(PEER_STREAM)
        .map(([name, code]) => `${code} ${name}`)
        .join(', ')}`,
    );
  });

  test.each(page.rowsUnder('### Greeting vectors'))('greeting %s', (json, hex) => {
    const greeting = parseGreeting(json);

    expect(toHex(encodeGreeting(greeting))).toBe(hex.replaceAll(' ', ''));
    expect(decodeGreeting(fromHex(hex))).toEqual(greeting);
  });

  test.each(page.rowsUnder('### Greetings with later fields'))('passes over what is behind %s', (json, hex) => {
    expect(decodeGreeting(fromHex(hex))).toEqual(parseGreeting(json));
  });

  test.each(page.rowsUnder('### Refused greetings'))('refuses %s: %s', (hex) => {
    expect(() => decodeGreeting(fromHex(hex))).toThrow(expect.objectContaining({ code: 'KAYA_MALFORMED' }));
  });
});
