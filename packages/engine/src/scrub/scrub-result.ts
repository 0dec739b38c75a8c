/** What the background scrub has to say: the last pass, and the damage it knows of. */

/** One pass over the whole store. Times are of the engine's clock. */
export interface ScrubPass {
  readonly endedMs: number;
  readonly durationUs: number;
  /** Tables read whole. */
  readonly tableCount: number;
  /** Tables that compaction replaced before their turn came: what took their place was checked when it was written. */
  readonly skippedTables: number;
  /** Tables that could not be read for another reason than damage; a warning says why. */
  readonly unreadTables: number;
  /** Bytes read. */
  readonly bytes: number;
  /** Places of this pass, also those known from an earlier one. */
  readonly damageCount: number;
}

export interface ScrubDamage {
  /** Name of the file inside the data directory. */
  readonly file: string;
  /** Byte position of the damaged structure's start, from the start of the file. */
  readonly offset: number;
  /** The whole sentence. */
  readonly message: string;
  /** When it was found first, by the engine's clock. */
  readonly foundMs: number;
}
