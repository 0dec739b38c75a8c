/** What stops a script: it cannot be read, or asks for what the language has no words for. Never what a command answers. */

export class ScriptError extends Error {
  /** Counted from 1; `undefined` when it is about the file as a whole, or not known yet. */
  readonly line: number | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.name = 'ScriptError';
    this.line = line;
  }
}
