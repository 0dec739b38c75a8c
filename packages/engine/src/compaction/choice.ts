/** What a compaction picker decides. A separate job carries it out. */

import type { TableMeta } from '../version/table-meta.ts';

export type CompactionChoice =
  | { readonly kind: 'none' }
  /** The table goes one level down as it is: nothing below overlaps it. */
  | { readonly kind: 'move'; readonly level: number; readonly table: TableMeta }
  /** `inputs` of `level` and `overlaps` of the next level become new tables of the next level. */
  | {
      readonly kind: 'merge';
      readonly level: number;
      readonly inputs: readonly TableMeta[];
      readonly overlaps: readonly TableMeta[];
    };
