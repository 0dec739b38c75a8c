/** A cursor over everything a store holds at one moment. */

import type { ReadPathParts } from '../read-path.ts';
import type { Cursor, Direction } from './cursor.ts';
import { LevelCursor, type OpenTableCursor } from './level-cursor.ts';
import { MergingCursor } from './merging-cursor.ts';

/** Opens a cursor over memtables and tables. What it reads stays until it is closed. */
export function openStoreCursor({ versions, memtables, tables }: ReadPathParts, direction: Direction): Cursor {
  const version = versions.current.retain();
  const [level0, ...deeper] = version.levels;
  const runs = [...level0!.map((table) => [table]), ...deeper.filter((tables) => tables.length > 0)];
  const openTable: OpenTableCursor = (table, way) => tables.openCursor(table, way);
  const cursor = new MergingCursor(
    [
      ...memtables.all().map((memtable) => memtable.cursor(direction)),
      ...runs.map((run) => new LevelCursor(run, direction, openTable)),
    ],
    direction,
  );
  let closed = false;
  return {
    get entry() {
      return cursor.entry;
    },
    seekToStart: () => cursor.seekToStart(),
    seek: (key) => cursor.seek(key),
    next: () => cursor.next(),
    close: () => {
      cursor.close();
      if (!closed) version.release();
      closed = true;
    },
  };
}
