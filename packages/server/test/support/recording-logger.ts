/** A logger that keeps what it is told. */

import type { LogFields, Logger } from '../../src/logger.ts';

export interface LogLine extends LogFields {
  readonly level: string;
  readonly message: string;
}

export function recordingLogger(log: LogLine[]): Logger {
  const at = (level: string) => (fields: LogFields, message: string) => void log.push({ ...fields, level, message });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
