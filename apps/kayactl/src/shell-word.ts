/** Commands that a person copies into a shell. */

const PLAIN = /^[\w@%+=:,./-]+$/;

/** `text` as one word of a POSIX shell: quoted where it has to be. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
