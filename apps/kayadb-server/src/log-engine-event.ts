/** What the engine tells, as log lines. */

import { assertNever } from '@kayadb/codec';
import type { EngineEvent, EngineStats, ScrubPass } from '@kayadb/engine';
import type { Logger } from '@kayadb/server';

type Fields = Readonly<Record<string, unknown>>;

export function logEngineEvent(logger: Logger, engineEvent: EngineEvent): void {
  const { kind, ...rest } = engineEvent;
  const fields = { event: `engine.${kind}`, ...rest };
  switch (engineEvent.kind) {
    case 'opened':
      logger.info(fields, engineEvent.created ? 'created a new store' : 'opened the store');
      break;
    case 'stale-lock-taken':
      logger.warn(fields, `took over the lock of ${engineEvent.owner}, which has ended`);
      break;
    case 'torn-tail':
      logger.warn(fields, `left out a torn record at the end of ${engineEvent.file}, as a crash leaves it`);
      break;
    case 'flushed':
    case 'compacted':
      logger.debug(fields, `${engineEvent.kind} tables`);
      break;
    case 'slowed':
      logger.info(
        fields,
        engineEvent.bytesPerSecond === undefined
          ? 'writes are not slowed down any more'
          : `writes are slowed down: ${engineEvent.reason}`,
      );
      break;
    case 'stalled':
      logger.warn(fields, `writes wait: ${engineEvent.reason}`);
      break;
    case 'disk-space':
      logDiskSpace(logger, fields, engineEvent.state);
      break;
    case 'scrubbed':
      logScrub(logger, fields, engineEvent);
      break;
    case 'damage-found':
      logger.error(fields, engineEvent.message);
      break;
    case 'poisoned':
      logger.error({ event: fields.event, err: engineEvent.cause }, 'the store takes no more writes');
      break;
    case 'warning':
      logger.warn({ event: fields.event }, engineEvent.message);
      break;
    default:
      assertNever(engineEvent, 'engine event');
  }
}

function logScrub(logger: Logger, fields: Fields, { damageCount, unreadTables }: ScrubPass): void {
  if (damageCount > 0) logger.error(fields, `the store was read back, and ${damageCount} places are damaged`);
  else if (unreadTables > 0)
    logger.warn(fields, `the store was read back but for ${unreadTables} tables; the rest is sound`);
  else logger.info(fields, 'the whole store was read back and is sound');
}

function logDiskSpace(logger: Logger, fields: Fields, state: EngineStats['diskState']): void {
  const help = 'free some space or delete keys';
  if (state === 'low')
    logger.warn(fields, `the disk is nearly full: as a leader this node takes no puts (--disk-low-bytes); ${help}`);
  else if (state === 'full')
    logger.error(fields, `the disk is full: as a leader this node takes no puts, and the reserve is used up; ${help}`);
  else logger.info(fields, 'the disk has room again: all writes are taken');
}
