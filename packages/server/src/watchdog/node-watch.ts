/** What a node looks at a few times a second: whether its disk answers, and whether it has room. What comes of it is logged, and done by whoever was asked to. */

import type { Clock, Timer } from '@kayadb/codec';

import type { Logger } from '../logger.ts';
import type { SuccessorOrder } from '../membership/leader-view.ts';
import type { NodeView, StorageView } from '../node-view.ts';
import { RoomWatchdog } from './room-watchdog.ts';
import { StorageWatchdog } from './storage-watchdog.ts';

export interface NodeWatchOptions {
  readonly storage: StorageView;
  readonly view: Pick<NodeView, 'raft' | 'machine' | 'isStopping'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Has another one lead, if this node does. */
  readonly handOver: (order: SuccessorOrder) => void;
  /** The node has to end. */
  readonly giveUp: (cause: Error) => void;
}

/** Between two looks. */
const LOOK_MS = 100;

export class NodeWatch {
  readonly #clock: Clock;
  readonly #storage: StorageWatchdog;
  readonly #room: RoomWatchdog;
  #timer: Timer | undefined;

  constructor({ storage, view, clock, logger, handOver, giveUp }: NodeWatchOptions) {
    this.#clock = clock;
    this.#storage = new StorageWatchdog({
      storage,
      clock,
      events: {
        warn: (ms) => logger.warn({ event: 'storage.slow', ms }, 'the disk is slow: a sync has not ended'),
        handOver: (ms) => {
          logger.error({ event: 'storage.stalled', ms }, 'the disk does not answer; handing leadership over');
          handOver('log');
        },
        giveUp,
        recovered: (ms) => logger.warn({ event: 'storage.recovered', ms }, 'the disk answers again'),
      },
    });
    this.#room = new RoomWatchdog({
      clock,
      diskState: () => view.machine?.diskState,
      leadsOthers: () => !view.isStopping && leadsOthers(view.raft),
      handOver: (state) => {
        logger.warn(
          { event: 'storage.no-room', state },
          'the disk is nearly full, so this leader takes no puts; having another node lead, which may have room',
        );
        handOver('round');
      },
    });
  }

  start(): void {
    this.#timer = this.#clock.setTimer(LOOK_MS, () => {
      this.#storage.tick();
      this.#room.tick();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}

function leadsOthers(raft: NodeView['raft']): boolean {
  return raft?.role === 'leader' && raft.configuration.voters.some((node) => node !== raft.id);
}
