/** What this installation lacks, said once when a store is opened; everything works without it, less well. Pure. */

import type { ResolvedOptions } from './options.ts';

/** What could be loaded. */
export interface Installation {
  readonly hasZstd: boolean;
  readonly hasNativeCrc32c: boolean;
}

/** The options as far as they can be had here, and a sentence for each thing that is missing. */
export function adaptToInstallation(
  options: ResolvedOptions,
  { hasZstd, hasNativeCrc32c }: Installation,
): { readonly options: ResolvedOptions; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  if (!hasNativeCrc32c) {
    warnings.push(
      'sse4_crc32 cannot be loaded, so checksums are computed in JavaScript, some four times slower; ' +
        'install with a C++ compiler, Python 3 and make at hand to have it built',
    );
  }
  if (options.compression === 'none' || hasZstd) return { options, warnings };
  warnings.push(
    'zstd-napi cannot be loaded, so new tables are not compressed; install it or choose compression "none"',
  );
  return { options: { ...options, compression: 'none' }, warnings };
}
