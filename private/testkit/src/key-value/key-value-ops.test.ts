import { describe, expect, test } from 'vitest';

import { seededRandom } from '../seeded-random.ts';
import { parseOp, printOp, randomOps, textToBytes, toScanOptions } from './key-value-ops.ts';

describe('printOp', () => {
  test('reads back through parseOp, for every kind of operation', () => {
    const ops = randomOps(seededRandom(4), 2000, { ranges: true, flush: true, reopen: true, deleteRange: true });

    const back = ops.map((op) => parseOp(printOp(op)));

    expect(back).toEqual(ops);
    expect(new Set(ops.map(({ kind }) => kind))).toEqual(
      new Set(['put', 'delete', 'get', 'batch', 'delete-range', 'scan', 'flush', 'reopen']),
    );
  });

  test.each([
    ['put a v1*30', { kind: 'put', key: 'a', value: 'v1*30' }],
    ['batch put a 1; delete b', { kind: 'batch', writes: [parseOp('put a 1'), parseOp('delete b')] }],
    ['delete-range b c', { kind: 'delete-range', from: 'b', to: 'c' }],
    ['scan gte=a lt=c reverse limit=2', { kind: 'scan', options: { gte: 'a', lt: 'c', reverse: true, limit: 2 } }],
  ])('writes "%s" on one line', (line, op) => {
    const parsed = parseOp(line);

    expect(parsed).toEqual(op);
    expect(printOp(parsed)).toBe(line);
  });
});

describe('parseOp', () => {
  test.each(['', 'put a', 'delete-range a', 'fetch a', 'batch get a', 'scan up'])(
    'refuses "%s" and repeats it',
    (line) => {
      const parse = (): unknown => parseOp(line);

      expect(parse).toThrow(SyntaxError);
      expect(parse).toThrow(`"${line}"`);
    },
  );
});

describe('randomOps', () => {
  test('leaves out what the options leave out', () => {
    const ops = randomOps(seededRandom(4), 2000, { ranges: false, flush: false, reopen: false, deleteRange: false });

    const scans = ops.filter(({ kind }) => kind === 'scan').map(printOp);

    expect(scans.every((line) => line.startsWith('scan prefix='))).toBe(true);
    expect(ops.some(({ kind }) => kind === 'flush' || kind === 'reopen' || kind === 'delete-range')).toBe(false);
  });

  test('is the same for the same seed', () => {
    const options = { ranges: true, flush: true, reopen: true, deleteRange: true };

    const a = randomOps(seededRandom(1), 50, options);

    expect(randomOps(seededRandom(1), 50, options)).toEqual(a);
    expect(randomOps(seededRandom(2), 50, options)).not.toEqual(a);
  });
});

describe('textToBytes', () => {
  test.each<[string, number[]]>([
    ['ab', [0x61, 0x62]],
    ['""', []],
    ['\\x00\\xff', [0, 255]],
    ['ab*3', [0x61, 0x62, 0x61, 0x62, 0x61, 0x62]],
    ['a*0', []],
  ])('takes %s for its bytes', (text, bytes) => {
    expect([...textToBytes(text)]).toEqual(bytes);
  });
});

describe('toScanOptions', () => {
  test('has no field for what is not said', () => {
    const options = toScanOptions({ gt: 'a', reverse: true });

    expect(Object.keys(options)).toEqual(['gt', 'reverse']);
  });
});
