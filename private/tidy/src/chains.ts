/** The chains of ARCHITECTURE.md: every `file#name` must lead to a file that declares that name. */

import { lineAt, maskAll } from './mask.ts';
import type { TextFile } from './repository.ts';

const REFERENCE = /([\w./-]+\.ts)#([\w$]+(?:[.#][\w$]+)*)/g;

/** How many chain references a page has. */
export function countChainReferences(page: string): number {
  return [...page.matchAll(REFERENCE)].length;
}

/**
 * References without a target. A path starts at the root, or at packages/, apps/ or private/; a name may be
 * `Class.method`.
 */
export function findBrokenChains(page: TextFile, sources: readonly TextFile[]): readonly string[] {
  return [...page.text.matchAll(REFERENCE)].flatMap((match) => {
    const [reference, path = '', names = ''] = match;
    const where = `${page.path}:${lineAt(page.text, match.index)}: ${reference}`;
    const candidates = ['', 'packages/', 'apps/', 'private/'].map((group) => group + path);
    const file = sources.find((source) => candidates.includes(source.path));
    if (file === undefined) return [`${where}: no such file`];
    const missing = names.split(/[.#]/).filter((name) => !declares(file.text, name));
    return missing.length === 0 ? [] : [`${where}: ${missing.join(', ')} is not declared there`];
  });
}

/** Whether a function, class, type, constant, method or field of that name is declared. */
export function declares(text: string, name: string): boolean {
  const code = maskAll(text);
  const escaped = name.replaceAll('$', String.raw`\$`);
  const statement = new RegExp(String.raw`\b(?:function\*?|class|interface|type|const|let)\s+${escaped}\b`);
  const member = new RegExp(
    String.raw`^\s*(?:(?:static|async|override|readonly|get|set|public)\s+)*\*?\s*#?${escaped}\??\s*(?:[<(:=])`,
    'm',
  );
  return statement.test(code) || member.test(code);
}
