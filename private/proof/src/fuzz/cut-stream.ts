/** Cuts a stream into chunks as a network might. */

/** Pieces of one to eight bytes, their sizes from `seed`. */
export function cutStream(stream: Uint8Array, seed: number): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let state = seed;
  for (let at = 0; at < stream.length;) {
    state = (state * 5 + 3) & 0xff;
    const end = at + 1 + (state >>> 5);
    chunks.push(stream.subarray(at, end));
    at = end;
  }
  return chunks;
}
