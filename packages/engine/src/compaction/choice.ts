/** What a compaction picker decides. A separate job carries it out. */

import type { TableMeta } from '../version/table-meta.ts';

export type CompactionChoice =
  | { readonly kind: 'none' }
  /** The tables go one level down as they are: nothing below overlaps them. */
  | { readonly kind: 'move'; readonly level: number; readonly tables: readonly TableMeta[] }
  /** `inputs` of `level` and `overlaps` of the next level become new tables of the next level. */
  | {
      readonly kind: 'merge';
      readonly level: number;
      readonly inputs: readonly TableMeta[];
      readonly overlaps: readonly TableMeta[];
    }
  /** A range delete hides everything in the tables from everybody: they go without being read. */
  | { readonly kind: 'drop'; readonly level: number; readonly tables: readonly TableMeta[] }
  /** The tables, which follow each other in `level`, are written anew in it, without what nobody can see. */
  | { readonly kind: 'rewrite'; readonly level: number; readonly inputs: readonly TableMeta[] };

export const NO_CHOICE: CompactionChoice = { kind: 'none' };
