/** Logs as JSON lines. Nothing that is logged holds keys, values or tokens. docs/reference/server.md, "Logs" */

import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';

export type ServerLogger = PinoLogger;

/** @param destination - Takes whole lines; standard error in the real program, written before the call returns. */
export function createLogger(level: string, nodeId: number, destination: DestinationStream): ServerLogger {
  return pino(
    {
      level,
      base: { node: nodeId },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
