import { describe, expect, test } from 'vitest';

import { resolveOptions } from './options.ts';
import { adaptToInstallation } from './shortcomings.ts';

describe('adaptToInstallation', () => {
  test('says nothing when nothing is missing', () => {
    const options = resolveOptions({});

    const adapted = adaptToInstallation(options, { hasZstd: true, hasNativeCrc32c: true });

    expect(adapted).toEqual({ options, warnings: [] });
  });

  test('goes without compression where zstd is missing, and says so once', () => {
    const { options, warnings } = adaptToInstallation(resolveOptions({}), { hasZstd: false, hasNativeCrc32c: true });

    expect(options.compression).toBe('none');
    expect(warnings).toEqual([expect.stringContaining('zstd-napi cannot be loaded')]);
  });

  test('does not speak of zstd to those who did not want it', () => {
    const options = resolveOptions({ compression: 'none' });

    expect(adaptToInstallation(options, { hasZstd: false, hasNativeCrc32c: true }).warnings).toEqual([]);
  });

  test('says that checksums are slow where the native ones are missing', () => {
    const { warnings } = adaptToInstallation(resolveOptions({}), { hasZstd: true, hasNativeCrc32c: false });

    expect(warnings).toEqual([expect.stringContaining('sse4_crc32 cannot be loaded')]);
  });
});
