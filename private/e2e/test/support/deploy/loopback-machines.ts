/**
 * Machines of a deployment, all of them this one: each has an address on its "network" and a loopback of its own, both out of 127.0.0.0/8, so that every file is used with the ports that it has. Linux answers
 * on all of these addresses; other systems do not.
 */

export const loopbackIsNarrow = process.platform !== 'linux';

/** Of this process alone, as far as processes of a machine can be told apart in two bytes. */
const NETWORK = `127.${201 + (process.pid % 50)}.${Math.floor(process.pid / 50) % 250}`;

/** Where machine `number` is reached by the others, in the place of 10.0.0.N. */
export function networkAddress(number: number): string {
  return `${NETWORK}.${100 + number}`;
}

/** What machine `number` has in the place of 127.0.0.1; 9 is that of an operator. */
export function ownLoopback(number: number): string {
  return `${NETWORK}.${number}`;
}

/** The text as it is on machine `number`. */
export function movedTo(number: number, text: string): string {
  return text
    .replaceAll(/\b10\.0\.0\.(\d)\b/g, (_, node: string) => networkAddress(Number(node)))
    .replaceAll('127.0.0.1', ownLoopback(number));
}

/** The variables of a file as systemd and compose read it: a line each, quotes around values with spaces. */
export function readEnvironment(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const match = /^(?<name>[A-Z_]+)=(?:"(?<quoted>[^"]*)"|(?<plain>[^\s"]*))$/u.exec(line)?.groups;
      if (match === undefined) throw new Error(`no variable: ${line}`);
      return [match['name']!, match['quoted'] ?? match['plain'] ?? ''];
    }),
  );
}
