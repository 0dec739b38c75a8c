/** The places that settings come from, the strongest first, and what they say together. */

import { SETTING_HELP } from './setting-help.ts';
import { environmentName, SETTING_NAMES, type SettingName, type Settings, settingsSchema } from './settings.ts';
import { UsageError } from './usage-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** One place. */
export interface Layer {
  /** How the user would name a setting of this place. */
  readonly nameOf: (setting: string) => string;
  readonly values: ReadonlyMap<string, unknown>;
  readonly isCommandLine: boolean;
}

export function commandLineLayer(values: ReadonlyMap<string, unknown>): Layer {
  return { nameOf: (name) => `--${name}`, values, isCommandLine: true };
}

export function environmentLayer(env: Environment): Layer {
  const values = new Map<string, unknown>();
  for (const name of SETTING_NAMES) {
    const value = nonBlank(env[environmentName(name)]);
    if (value !== undefined) values.set(name, value);
  }
  return { nameOf: environmentName, values, isCommandLine: false };
}

export function fileLayer(file: string, values: ReadonlyMap<string, unknown>): Layer {
  return { nameOf: (name) => `${name} in ${file}`, values, isCommandLine: false };
}

/** An empty variable is how a shell or a service file says that it is not set. */
export function nonBlank(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value;
}

/** What all places say together. */
export interface Said {
  readonly settings: Settings;
  /** Whether any place says anything about it; if not, its default is in force. */
  readonly isGiven: (setting: SettingName) => boolean;
  /** How the user would name the setting, where it was given; as a flag, if it was not. */
  readonly nameOf: (setting: SettingName) => string;
}

/** @throws UsageError for the first value that cannot be used, by the name under which it was given. */
export function readLayers(layers: readonly Layer[]): Said {
  const merged: Record<string, unknown> = {};
  for (const layer of layers.toReversed()) for (const [name, value] of layer.values) merged[name] = value;
  const nameOf = (name: SettingName): string =>
    layers.find(({ values }) => values.has(name))?.nameOf(name) ?? `--${name}`;
  const result = settingsSchema.safeParse(merged);
  if (result.success) {
    return { settings: result.data, nameOf, isGiven: (name) => layers.some(({ values }) => values.has(name)) };
  }
  const name = result.error.issues[0]?.path[0] as SettingName;
  const { expected, isSecret } = SETTING_HELP[name];
  const got = isSecret === true ? '' : `, got ${describeValue(merged[name])}`;
  throw new UsageError(`${nameOf(name)}: expected ${expected}${got}`, 'kayadb-server --help describes all settings');
}

/** A file may hold a list or a table, even one that holds itself. */
function describeValue(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'a list or a table' : JSON.stringify(value);
}
