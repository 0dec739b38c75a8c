/**
 * Blanks out comments and the contents of strings, so that a rule finds code and not talk about code.
 *
 * Invariant: the result has the length and the line breaks of the input, so that offsets and line numbers agree.
 * It is a scanner, not a parser: a `/` counts as the start of a regular expression where no value can have ended.
 */

export interface MaskOptions {
  readonly comments: boolean;
  readonly strings: boolean;
}

type Span = 'code' | 'comment' | 'string';

/** `text` with the chosen spans replaced by spaces; quotes stay. */
export function mask(text: string, options: MaskOptions): string {
  const spans = classify(text);
  let result = '';
  for (let i = 0; i < text.length; i++) {
    const hidden = (spans[i] === 'comment' && options.comments) || (spans[i] === 'string' && options.strings);
    result += hidden && text[i] !== '\n' ? ' ' : text[i];
  }
  return result;
}

/** Only what the compiler acts on. */
export function maskAll(text: string): string {
  return mask(text, { comments: true, strings: true });
}

/** 1 for the first line. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function classify(text: string): readonly Span[] {
  const spans = Array.from<Span>({ length: text.length }).fill('code');
  /** Depth of `{` inside each open `${`; its length is how many templates are open. */
  const templates: number[] = [];
  let at = 0;
  const cover = (end: number, span: Span): void => {
    spans.fill(span, at, end);
    at = end;
  };
  while (at < text.length) {
    const char = text[at]!;
    const pair = text.slice(at, at + 2);
    if (pair === '//' || (at === 0 && pair === '#!')) cover(lineEnd(text, at), 'comment');
    else if (pair === '/*') cover(indexAfter(text, '*/', at + 2), 'comment');
    else if (char === "'" || char === '"') quoted(char);
    else if (char === '`') template();
    else if (char === '/' && startsRegex(text, at)) regex();
    else if (char === '}' && templates.at(-1) === 0) {
      templates.pop();
      template();
    } else {
      const depth = templates.at(-1);
      if (depth !== undefined && char === '{') templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && char === '}') templates[templates.length - 1] = depth - 1;
      at++;
    }
  }
  return spans;

  /** From an opening quote past the closing one. */
  function quoted(quote: string): void {
    at++;
    cover(
      closing(text, at, (char) => char === quote || char === '\n'),
      'string',
    );
    at++;
  }

  /** From a backtick, or from the `}` of a `${}`, to the next `${` or the closing backtick. */
  function template(): void {
    at++;
    const end = closing(text, at, (char, i) => char === '`' || (char === '$' && text[i + 1] === '{'));
    cover(end, 'string');
    if (text[end] === '$') {
      templates.push(0);
      at += 2;
    } else at++;
  }

  function regex(): void {
    at++;
    let inClass = false;
    const end = closing(text, at, (char) => {
      if (char === '[') inClass = true;
      if (char === ']') inClass = false;
      return (char === '/' && !inClass) || char === '\n';
    });
    cover(end, 'string');
    at++;
  }
}

/** Offset of the first character that `ends`, skipping what a backslash escapes. */
function closing(text: string, start: number, ends: (char: string, at: number) => boolean): number {
  for (let i = start; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (ends(text[i]!, i)) return i;
  }
  return text.length;
}

function startsRegex(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 40), at).trimEnd();
  return before === '' || /[(,=:[!&|?{};+\-*%<>~^]$|\b(?:return|typeof|case|of|in|await)$/.test(before);
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function indexAfter(text: string, word: string, at: number): number {
  const end = text.indexOf(word, at);
  return end < 0 ? text.length : end + word.length;
}
