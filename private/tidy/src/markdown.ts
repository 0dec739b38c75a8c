/** Links and headings of Markdown pages, as GitHub reads them. Code is not prose: nothing in it is a link. */

import { dirname, join, normalize } from 'node:path/posix';

import { lineAt } from './mask.ts';
import type { TextFile } from './repository.ts';

/** A page a newcomer reads in five minutes. Bound: lines of README.md. */
export const MAX_README_LINES = 150;

interface Link {
  readonly target: string;
  readonly line: number;
}

/** Relative links that lead nowhere: no such file, or no such heading in it. `exists` knows files and folders. */
export function findDeadLinks(pages: readonly TextFile[], exists: (path: string) => boolean): readonly string[] {
  const texts = new Map(pages.map(({ path, text }) => [path, text]));
  return pages.flatMap(({ path, text }) =>
    linksOf(text).flatMap(({ target, line }) => {
      const reason = reasonAgainst(path, target, texts, exists);
      return reason === undefined ? [] : [`${path}:${line}: ${target}: ${reason}`];
    }),
  );
}

/**
 * Pages that sources speak of and that are not there: `docs/format/wal.md`, or with a section, `docs/format/wal.md,
 * "Records"`. Several sections may follow each other.
 */
export function findDeadMentions(sources: readonly TextFile[], pages: readonly TextFile[]): readonly string[] {
  const headings = new Map(pages.map(({ path, text }) => [path, headingsOf(text)]));
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(/(?<![\w/.-])(docs\/[\w./-]+\.md)((?:,? "[^"\n]+")*)/g)].flatMap((match) => {
      const [, page = '', sections = ''] = match;
      const where = `${path}:${lineAt(text, match.index)}: ${page}`;
      const known = headings.get(page);
      if (known === undefined) return [`${where}: no such file`];
      return [...sections.matchAll(/"([^"]+)"/g)].flatMap(([, section = '']) =>
        known.includes(section) ? [] : [`${where}: no heading "${section}"`],
      );
    }),
  );
}

/** The files that a page links to, from the root. */
export function linkedFiles({ path, text }: TextFile): readonly string[] {
  return linksOf(text)
    .filter(({ target }) => !isOutside(target) && !target.startsWith('#'))
    .map(({ target }) => resolve(path, target.split('#')[0] ?? ''));
}

/** Ids of a page's headings, repeated ones numbered. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const prose = maskFences(text);
  for (const [, heading = ''] of prose.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const slug = slugOf(heading);
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  for (const [, id = ''] of prose.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

/** The texts of a page's headings, without marks. */
export function headingsOf(text: string): readonly string[] {
  return [...maskFences(text).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map(([, heading = '']) => plain(heading));
}

function reasonAgainst(
  path: string,
  target: string,
  texts: ReadonlyMap<string, string>,
  exists: (path: string) => boolean,
): string | undefined {
  if (isOutside(target)) return undefined;
  const [file = '', anchor] = target.split('#');
  const resolved = file === '' ? path : resolve(path, file);
  if (resolved.startsWith('..') || file.startsWith('/')) return 'leads out of the repository';
  if (!exists(resolved)) return 'no such file';
  if (anchor === undefined || !resolved.endsWith('.md')) return undefined;
  return anchorsOf(texts.get(resolved) ?? '').has(anchor) ? undefined : 'no such heading';
}

function linksOf(text: string): readonly Link[] {
  const prose = maskFences(text).replaceAll(/(`+)[^`]*?\1/g, (code) => ' '.repeat(code.length));
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const reference = [...prose.matchAll(/^\s{0,3}\[[^\]]+\]:\s*(\S+)/gm)];
  return [...inline, ...reference].map((match) => ({ target: match[1] ?? '', line: lineAt(text, match.index) }));
}

/** Fenced blocks blanked, line by line. */
function maskFences(text: string): string {
  let fence: string | undefined;
  const lines = text.split('\n').map((line) => {
    const mark = /^\s{0,3}(```+|~~~+)/.exec(line)?.[1];
    const inside = fence !== undefined;
    if (mark !== undefined && !inside) fence = mark;
    else if (mark !== undefined && fence !== undefined && mark.startsWith(fence)) fence = undefined;
    return inside || mark !== undefined ? ' '.repeat(line.length) : line;
  });
  return lines.join('\n');
}

function slugOf(heading: string): string {
  return plain(heading)
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
}

/** Without emphasis, code marks and link targets. */
function plain(heading: string): string {
  return heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '');
}

function resolve(path: string, file: string): string {
  return normalize(join(dirname(path), file));
}

function isOutside(target: string): boolean {
  return /^[a-z][a-z+.-]*:/i.test(target);
}
