/** Every module specifier of a source: static, re-exported, for side effects, dynamic, and `import('x')` types. */

import { lineAt, mask, maskAll } from './mask.ts';

export interface ModuleImport {
  readonly specifier: string;
  readonly line: number;
}

const OPENINGS = [
  /\b(?:import|export)\s+(?:type\s+)?(?:[\w$*,\s]|\{[^}]*\})*?\bfrom\s*['"]/g,
  /\bimport\s*['"]/g,
  /\b(?:import|require)\s*\(\s*['"]/g,
];

/** Imports are looked for in code alone; a sample inside a string or a comment is none. */
export function importsOf(text: string): readonly ModuleImport[] {
  const code = maskAll(text);
  const readable = mask(text, { comments: true, strings: false });
  return OPENINGS.flatMap((opening) =>
    [...code.matchAll(opening)].map((match) => {
      const start = match.index + match[0].length;
      const specifier = /^[^'"]*/.exec(readable.slice(start))?.[0] ?? '';
      return { specifier, line: lineAt(text, start) };
    }),
  ).toSorted((a, b) => a.line - b.line);
}
