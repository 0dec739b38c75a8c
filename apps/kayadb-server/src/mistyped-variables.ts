/**
 * Variables that are named nearly like a setting: a server that silently starts without a token because of one letter is not what was asked for. They are warned of and not refused,
 * since others may have variables that begin alike.
 */

import type { Environment } from './layers.ts';
import { nearestName } from './nearest-name.ts';
import { environmentName, SETTING_NAMES } from './settings.ts';
import { UNAVAILABLE } from './unavailable.ts';

const PREFIX = 'KAYA_';
/** What kayactl reads, and may be set for both. */
const OF_KAYACTL: readonly string[] = ['KAYA_SERVER', 'KAYA_TLS_PIN', 'KAYA_TLS_SERVER_NAME'];

/** @returns A sentence for each, without its value. */
export function warnOfMistyped(env: Environment): readonly string[] {
  const settings = [...SETTING_NAMES.map(environmentName), 'KAYA_CONFIG'];
  const known = new Set([...settings, ...OF_KAYACTL]);
  for (const { environment } of Object.values(UNAVAILABLE)) if (environment !== undefined) known.add(environment);
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.has(name))
    .toSorted()
    .flatMap((name) => {
      const meant = nearestName(name, settings);
      return meant === undefined ? [] : [`${name} is no setting and has no effect; did you mean ${meant}?`];
    });
}
