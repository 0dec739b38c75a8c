/** JSON objects that a node sends as text. */

import { ClientError } from './client-error.ts';
import type { JsonDocument } from './client.ts';

/** @throws ClientError KAYA_PROTOCOL */
export function parseDocument(text: string): JsonDocument {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new ClientError('KAYA_PROTOCOL', 'the server sent a document that is not JSON', { cause: error });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new ClientError('KAYA_PROTOCOL', 'the server sent a document that is not a JSON object');
  }
  return document as JsonDocument;
}
