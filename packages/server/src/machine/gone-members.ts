/**
 * Directories that were members and were removed: none of them is one again.
 *
 * Invariant: it is what `gone/` rows say, in the order in which they were removed. Bound: `MAX_GONE_MEMBERS`.
 */

import { MAX_GONE_MEMBERS } from './machine-format.ts';

export interface GoneMember {
  readonly node: number;
  readonly incarnation: number;
  /** Of the entry that removed it. */
  readonly index: number;
}

export class GoneMembers {
  /** Who was removed first comes first. */
  readonly #byName = new Map<string, GoneMember>();

  get count(): number {
    return this.#byName.size;
  }

  /** In the order in which they were removed. */
  get all(): readonly GoneMember[] {
    return Array.from(this.#byName.values());
  }

  has(node: number, incarnation: number): boolean {
    return this.#byName.has(nameOf(node, incarnation));
  }

  /** Takes in what rows say, in any order. Requires: it is empty. */
  load(rows: readonly GoneMember[]): void {
    for (const row of rows.toSorted((a, b) => a.index - b.index)) this.add(row);
  }

  /** Requires: `gone.index` is above that of all others. @returns Who is forgotten for it. */
  add(gone: GoneMember): GoneMember | undefined {
    const name = nameOf(gone.node, gone.incarnation);
    this.#byName.delete(name);
    this.#byName.set(name, gone);
    if (this.#byName.size <= MAX_GONE_MEMBERS) return undefined;
    const [first, forgotten] = this.#byName.entries().next().value!;
    this.#byName.delete(first);
    return forgotten;
  }
}

function nameOf(node: number, incarnation: number): string {
  return `${node} ${incarnation}`;
}
