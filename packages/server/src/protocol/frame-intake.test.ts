import { concatBytes, decodeRequest, encodeRequest, encodeUtf8, type Request } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { Identifier } from '../access/authorize.ts';
import { FrameIntake } from './frame-intake.ts';

const LIMITS = { maxFrameBytes: 400, maxStrangerFrameBytes: 100 };
const TOKEN = { kind: 'client', token: encodeUtf8('secret') } as const;
const WRONG = { kind: 'client', token: encodeUtf8('secreT') } as const;

function openIntake(clientToken?: string): FrameIntake {
  return new FrameIntake(LIMITS, new Identifier({ clientToken }));
}

function put(valueBytes: number, credential?: Request extends never ? never : typeof TOKEN | typeof WRONG): Uint8Array {
  return encodeRequest({ kind: 'put', key: encodeUtf8('k'), value: new Uint8Array(valueBytes), credential });
}

function takeAll(intake: FrameIntake): number[] {
  const sizes: number[] = [];
  for (let frame = intake.next(); frame !== undefined; frame = intake.next()) {
    const request = decodeRequest(frame);
    sizes.push(request.kind === 'put' ? request.value.length : -1);
  }
  return sizes;
}

describe('FrameIntake', () => {
  test('takes frames of any allowed size when no client token is configured', () => {
    const intake = openIntake();

    intake.push(put(300));

    expect(takeAll(intake)).toEqual([300]);
  });

  test('lets a stranger send small frames, wherever they are cut', () => {
    const stream = concatBytes([put(5), put(60), put(0)]);
    for (let cut = 0; cut <= stream.length; cut++) {
      const intake = openIntake('secret');

      intake.push(stream.slice(0, cut));
      const before = takeAll(intake);
      intake.push(stream.slice(cut));
      const after = takeAll(intake);

      expect([...before, ...after]).toEqual([5, 60, 0]);
      expect(intake.bufferedBytes).toBe(0);
    }
  });

  test('lets a large first frame with a valid credential through, wherever it is cut', () => {
    const stream = concatBytes([put(300, TOKEN), put(200)]);
    for (let cut = 0; cut <= stream.length; cut++) {
      const intake = openIntake('secret');

      intake.push(stream.slice(0, cut));
      const before = takeAll(intake);
      intake.push(stream.slice(cut));
      const after = takeAll(intake);

      expect([...before, ...after]).toEqual([300, 200]);
    }
  });

  test.each([
    ['without a credential', put(300), 'missing'],
    ['with a wrong one', put(300, WRONG), 'wrong'],
    [
      'with a credential that does not end',
      Uint8Array.from([200, 0, 0, 0, 1, ...encodeUtf8('CLIENT\0'), 255, 255]),
      'missing',
    ],
  ])('refuses a large frame %s after little more than the limit of strangers', (_case, start, reason) => {
    const intake = openIntake('secret');
    const bytes = concatBytes([start, new Uint8Array(200)]).slice(0, 105);
    let refusal: unknown;
    let pushed = 0;

    while (refusal === undefined && pushed < bytes.length) {
      intake.push(bytes.slice(pushed, ++pushed));
      try {
        intake.next();
      } catch (error) {
        refusal = error;
      }
    }

    expect(refusal).toMatchObject({ code: 'KAYA_ACCESS_DENIED', required: 'client', reason });
  });

  test('refuses an impossible length for what it is, credential or not', () => {
    const intake = openIntake('secret');

    intake.push(encodeUtf8('GET / HTTP/1.1\r\n'));

    expect(() => intake.next()).toThrow(expect.objectContaining({ code: 'KAYA_FRAME_TOO_LARGE' }));
  });

  test('keeps its trust', () => {
    const intake = openIntake('secret');
    intake.push(concatBytes([put(1), put(300)]));

    const first = intake.next();
    intake.trust();
    const second = intake.next();

    expect([first?.length, second?.length]).toEqual([put(1).length - 4, put(300).length - 4]);
  });
});
