/** Documents for others call things as protocol v1 does: `table_count`, not `tableCount`. */

/** Tables are called as v1 calls them. */
const V1_NAMES: Readonly<Record<string, string>> = { tableCount: 'sstable_count', tableBytes: 'sstable_bytes' };

/** A copy with all names changed, at any depth. */
export function toSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toSnakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [snakeName(name), toSnakeCase(each)]));
}

function snakeName(name: string): string {
  return V1_NAMES[name] ?? name.replaceAll(/[A-Z0-9]+/gu, (part) => `_${part.toLowerCase()}`);
}
