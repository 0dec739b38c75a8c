/** The shell blocks of a page, each with what stands before it and what the page says it prints. */

export interface ShellBlock {
  readonly script: string;
  /** Text of a ```text block right behind it; `undefined` when the page shows none. */
  readonly output: string | undefined;
  /** Whether the prose since the block before asks the reader to press Ctrl-C. */
  readonly isAfterCtrlC: boolean;
  /** Where it begins, counted from 1. */
  readonly line: number;
}

interface Fence {
  readonly language: string;
  readonly content: string;
  readonly start: number;
  readonly end: number;
}

export function shellBlocks(page: string): readonly ShellBlock[] {
  const fences = fencesOf(page);
  return fences.flatMap((fence, i) => {
    if (fence.language !== 'sh') return [];
    const before = page.slice(fences[i - 1]?.end ?? 0, fence.start);
    const next = fences[i + 1];
    const isFollowed = next?.language === 'text' && page.slice(fence.end, next.start).trim() === '';
    return {
      script: fence.content,
      output: isFollowed ? next.content : undefined,
      isAfterCtrlC: /\b(?:Stop|stop)\b[^.]*Ctrl-C/.test(before),
      line: page.slice(0, fence.start).split('\n').length,
    };
  });
}

/** The first block in that language. @throws Error when there is none. */
export function codeBlock(page: string, language: string): string {
  const fence = fencesOf(page).find((each) => each.language === language);
  if (fence === undefined) throw new Error(`the page has no block in ${language}`);
  return fence.content;
}

function fencesOf(page: string): readonly Fence[] {
  return [...page.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map((match) => ({
    language: match[1] ?? '',
    content: match[2] ?? '',
    start: match.index,
    end: match.index + match[0].length,
  }));
}
