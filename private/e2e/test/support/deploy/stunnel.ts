/** stunnel as a process, with a configuration as it is. Debian has it in the package stunnel4. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

const STUNNEL = '/usr/bin/stunnel';
/** Ends with this process, however it ends. */
const SETPRIV = '/usr/bin/setpriv';

/** A pipeline must have it. */
export const stunnelIsAbsent = !existsSync(STUNNEL) && process.env['CI'] !== 'true';

export class Stunnel implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly log: string[] = [];
  readonly #ended: Promise<unknown>;

  private constructor(config: string) {
    const command = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', STUNNEL] : [STUNNEL];
    this.child = spawn(command[0]!, [...command.slice(1), config], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#ended = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', resolve);
    });
  }

  /** Starts it and waits until it has taken its configuration and ports. @throws Error with its log when it ends before. */
  static async start(config: string): Promise<Stunnel> {
    const stunnel = new Stunnel(config);
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: stunnel.child.stderr! })
        .on('line', (line) => {
          stunnel.log.push(line);
          if (line.includes('Configuration successful')) resolve();
        })
        .on('close', () => reject(new Error(`stunnel has ended:\n${stunnel.log.join('\n')}`)));
    });
    return stunnel;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#ended;
  }
}
