/**
 * Pieces of HTML and SVG.
 *
 * Invariant: whatever is put into a piece is escaped, unless it is a piece itself; names of files may hold anything.
 */

/** Text that may stand in a page as it is. Made by `piece` and `trusted` only. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type HtmlValue = string | number | Html | readonly Html[] | undefined;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** What no page can hold, or what turns the direction of text around. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * A template of markup; values are escaped for element content and for attributes in quotes. It is not called `html`, because what
 * formats code would then format the markup too, and white space counts in it.
 */
export function piece(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const parts = strings.map((part, index) => part + (index < values.length ? render(values[index]) : ''));
  return new Html(parts.join(''));
}

/** Markup of this program's own, which holds no data. */
export function trusted(text: string): Html {
  return new Html(text);
}

function render(value: HtmlValue): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(({ text }) => text).join('\n');
  return String(value)
    .replaceAll(UNPRINTABLE, '\uFFFD')
    .replaceAll(/[&<>"']/g, (sign) => ESCAPES[sign]!);
}
