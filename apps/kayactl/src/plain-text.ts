/** Text of this program in which names stand that anybody may have given, for a terminal. */

/** What moves the cursor, hides text or turns it around. Line feeds are this program's own. */
const UNPRINTABLE = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** `text` with a sign in the place of each character that would do something to a terminal; line feeds stay. */
export function plainText(text: string): string {
  return text.replaceAll(UNPRINTABLE, '\uFFFD');
}
