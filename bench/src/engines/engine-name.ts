/** The engines that are compared, ours first, in the order in which tables and charts show them. */

export const ENGINE_NAMES = ['kayadb', 'classic-level', 'lmdb', 'rocksdb', 'better-sqlite3'] as const;

export type EngineName = (typeof ENGINE_NAMES)[number];
export type PeerName = Exclude<EngineName, 'kayadb'>;

export const OURS = 'kayadb' satisfies EngineName;

export function isEngineName(word: string): word is EngineName {
  return (ENGINE_NAMES as readonly string[]).includes(word);
}
