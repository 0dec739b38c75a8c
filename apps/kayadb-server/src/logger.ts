/** Logs as JSON lines. Nothing that is logged holds keys, values or tokens. docs/reference/server.md, "Logs" */

import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';

export type ServerLogger = PinoLogger;

/**
 * A line of level `fatal` is not synced: pino would do that of itself, standard error may be a file on the very disk that does not answer, and the node would stand
 * still in the line that says so.
 *
 * @param nodeId - Told in each line; undefined: not known yet, or not any more.
 * @param destination - Takes whole lines; standard error in the real program, written before the call returns.
 */
export function createLogger(level: string, nodeId: number | undefined, destination: DestinationStream): ServerLogger {
  return pino(
    {
      level,
      base: nodeId === undefined ? {} : { node: nodeId },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => destination.write(line) },
  );
}
