import { testSeed } from '@kayadb/testkit';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { PagedBytes, pagesBetween } from './paged-bytes.ts';

/** The same thing done plainly: one array, copied whole. */
class PlainBytes {
  content = new Uint8Array(0);

  write(data: Uint8Array, position: number): void {
    if (data.length === 0) return;
    this.resize(Math.max(this.content.length, position + data.length));
    this.content.set(data, position);
  }

  resize(bytes: number): void {
    const next = new Uint8Array(bytes);
    next.set(this.content.subarray(0, bytes));
    this.content = next;
  }
}

function contentOf(paged: PagedBytes): Uint8Array {
  const buffer = new Uint8Array(paged.bytes);
  paged.read(buffer, 0);
  return buffer;
}

const position = fc.oneof(fc.nat(64), fc.integer({ min: 4000, max: 4200 }), fc.nat(13_000));
const step = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), position, bytes: fc.oneof(fc.nat(20), fc.nat(9000)) }),
  fc.record({ kind: fc.constant('resize' as const), bytes: position }),
  fc.record({ kind: fc.constant('fork' as const) }),
);

describe('PagedBytes', () => {
  test('agrees with a plain array, and copies never see each other', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const pairs = [{ paged: new PagedBytes(), plain: new PlainBytes() }];
        for (const [index, next] of steps.entries()) {
          const pair = pairs[index % pairs.length] ?? pairs[0]!;
          if (next.kind === 'write') {
            const data = new Uint8Array(next.bytes).fill(index + 1);
            pair.paged.write(data, next.position);
            pair.plain.write(data, next.position);
          } else if (next.kind === 'resize') {
            pair.paged.resize(next.bytes);
            pair.plain.resize(next.bytes);
          } else {
            const plain = new PlainBytes();
            plain.content = pair.plain.content.slice();
            pairs.push({ paged: pair.paged.fork(), plain });
          }
        }
        for (const { paged, plain } of pairs) {
          expect(Buffer.compare(contentOf(paged), plain.content)).toBe(0);
        }
      }),
      { seed: testSeed() },
    );
  });

  test('takes over pages of another copy', () => {
    const source = new PagedBytes();
    const target = new PagedBytes();
    source.write(new Uint8Array(8192).fill(1), 0);
    target.write(new Uint8Array(8192).fill(2), 0);

    target.adoptPages(source, pagesBetween(4096, 4097));
    source.write(new Uint8Array(8192).fill(3), 0);

    const content = contentOf(target);
    expect([content[4095], content[4096], content[8191]]).toEqual([2, 1, 1]);
  });
});
