/** Fields of the documents that nodes send, of which any may be missing: a node may be older or newer than this program. */

import type { JsonDocument } from '@kayadb/client';

export function numberOf(document: JsonDocument | undefined, name: string): number | undefined {
  const value = document?.[name];
  return typeof value === 'number' ? value : undefined;
}

export function textOf(document: JsonDocument | undefined, name: string): string | undefined {
  const value = document?.[name];
  return typeof value === 'string' ? value : undefined;
}

export function flagOf(document: JsonDocument | undefined, name: string): boolean | undefined {
  const value = document?.[name];
  return typeof value === 'boolean' ? value : undefined;
}

export function objectOf(document: JsonDocument | undefined, name: string): JsonDocument | undefined {
  const value = document?.[name];
  return isObject(value) ? value : undefined;
}

/** Empty when there is no such list; what is no object in it is left out. */
export function objectsOf(document: JsonDocument | undefined, name: string): readonly JsonDocument[] {
  const value = document?.[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function numbersOf(document: JsonDocument | undefined, name: string): readonly number[] {
  const value = document?.[name];
  return Array.isArray(value) ? value.filter((each) => typeof each === 'number') : [];
}

export function textsOf(document: JsonDocument | undefined, name: string): readonly string[] {
  const value = document?.[name];
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

function isObject(value: unknown): value is JsonDocument {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
