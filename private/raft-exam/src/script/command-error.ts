/** What a command answers when it fails: text that a script expects, as any other answer. */

export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
  }
}
