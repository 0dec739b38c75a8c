/** What an operation is told of the request that it serves, and tells it. */

/** `value`: an answer with one value. `frame`: one that may fill a frame. */
export type FetchKind = 'value' | 'frame';

export interface Attempt {
  /** Nobody waits for the answer any more: what was not begun need not be. */
  readonly isOver: boolean;
  /**
   * Runs what brings a large answer when that has room, which is kept until it was sent. May be called again.
   *
   * @throws ServerError KAYA_CANCELLED when nobody waits for the answer any more.
   */
  fetch<Result>(kind: FetchKind, task: () => Promise<Result>): Promise<Result>;
  /** Called in the turn in which a change is handed to the group: from here on its outcome is unknown until it is told. */
  markProposed(): void;
}
