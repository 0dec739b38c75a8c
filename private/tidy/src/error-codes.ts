/** The error codes of all packages, and the page that explains each of them. */

import { headingsOf } from './markdown.ts';
import { mask } from './mask.ts';
import { isProduction, type TextFile } from './repository.ts';

/** Every code in a union type whose name ends in `ErrorCode`, sorted. */
export function errorCodesOf(files: readonly TextFile[]): readonly string[] {
  const codes = files
    .filter(({ path }) => isProduction(path))
    .flatMap(({ text }) => {
      const readable = mask(text, { comments: true, strings: false });
      return [...readable.matchAll(/\btype\s+\w*ErrorCode\s*=([^;]*);/g)].flatMap(([, union = '']) =>
        [...union.matchAll(/'([A-Z][A-Z0-9_]+)'/g)].map(([, code = '']) => code),
      );
    });
  return [...new Set(codes)].toSorted();
}

/** Codes without a heading, headings without a code, and codes explained twice. */
export function compareErrorPage(page: string, codes: readonly string[]): readonly string[] {
  const headings = headingsOf(page).filter((heading) => /^(?:KAYA|LEVEL)_[A-Z0-9_]+$/.test(heading));
  return [
    ...codes.filter((code) => !headings.includes(code)).map((code) => `${code} has no heading`),
    ...headings.filter((heading) => !codes.includes(heading)).map((heading) => `${heading} is no code of any package`),
    ...headings
      .filter((heading, at) => headings.indexOf(heading) !== at)
      .map((heading) => `${heading} has two headings`),
  ];
}
