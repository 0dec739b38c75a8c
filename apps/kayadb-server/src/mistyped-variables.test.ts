import { describe, expect, test } from 'vitest';

import { warnOfMistyped } from './mistyped-variables.ts';
import { environmentName, SETTING_NAMES } from './settings.ts';

describe('warnOfMistyped', () => {
  test('names what was meant, and no value', () => {
    const env = { KAYA_CLIENT_TOKEN_FIEL: '/etc/secret', KAYA_DATE: '/data', PATH: '/bin' };

    expect(warnOfMistyped(env)).toEqual([
      'KAYA_CLIENT_TOKEN_FIEL is no setting and has no effect; did you mean KAYA_CLIENT_TOKEN_FILE?',
      'KAYA_DATE is no setting and has no effect; did you mean KAYA_DATA?',
    ]);
  });

  test('has nothing to say of settings, of those of kayactl, and of what is like none', () => {
    const settings = SETTING_NAMES.map((name) => [environmentName(name), '1'] as const);
    const env = { ...Object.fromEntries(settings), KAYA_CONFIG: '/k.toml', KAYA_SERVER: 'a:1', KAYA_TLS_PIN: 'p' };

    expect(warnOfMistyped({ ...env, KAYA_DRAIN: '', KAYA_MY_OWN_SCRIPT: '1' })).toEqual([]);
  });
});
