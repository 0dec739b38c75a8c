/** The bounds of what a client may ask for, for front doors whose frames do not hold to them. */

import { encodeUtf8, MAX_ADDRESS_BYTES, MAX_USER_KEY_BYTES, MAX_USER_VALUE_BYTES } from '@kayadb/codec';
import { parseEndpoint } from '@kayadb/transport';

import { ServerError } from '../server-error.ts';

/** @throws ServerError KAYA_INVALID_ARGUMENT, as all here. */
export function checkKey(key: Uint8Array): void {
  if (key.length === 0) throw invalidArgument('the key is empty; keys have 1 to 4096 bytes');
  if (key.length > MAX_USER_KEY_BYTES) {
    throw invalidArgument(
      `the key has ${key.length} bytes; keys have 1 to ${MAX_USER_KEY_BYTES}: store a hash of it, or move part of it into the value`,
    );
  }
}

export function checkValue(value: Uint8Array): void {
  if (value.length <= MAX_USER_VALUE_BYTES) return;
  throw invalidArgument(
    `the value has ${value.length} bytes; at most ${MAX_USER_VALUE_BYTES} are stored: split it over several keys`,
  );
}

export function checkPrefix(prefix: Uint8Array): void {
  if (prefix.length <= MAX_USER_KEY_BYTES) return;
  throw invalidArgument(`the prefix has ${prefix.length} bytes; keys have at most ${MAX_USER_KEY_BYTES}`);
}

export function checkNode(node: number): void {
  if (node < 1) throw invalidArgument('there is no node 0; nodes are numbered from 1');
}

/** @param whom - Who uses it. */
export function checkAddress(address: string, whom: string): void {
  if (encodeUtf8(address).length <= MAX_ADDRESS_BYTES && parseEndpoint(address) !== undefined) return;
  throw invalidArgument(`the address for ${whom} is not host:port, or has over ${MAX_ADDRESS_BYTES} bytes`);
}

export function invalidArgument(message: string): ServerError {
  return new ServerError('KAYA_INVALID_ARGUMENT', message);
}
