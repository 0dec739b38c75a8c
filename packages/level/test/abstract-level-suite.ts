/**
 * The suite that abstract-level gives to its implementations, as a program of its own: it speaks TAP on standard output.
 * Takes one argument, an empty folder to make its stores in. Run by abstract-level-suite.test.ts.
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';

import { KayaLevel, type KayaLevelOptions, type KayaOpenOptions } from '../src/index.ts';
import { testEngine } from './support/test-folder.ts';

interface SuiteOptions {
  readonly test: unknown;
  readonly factory: (options?: KayaLevelOptions<string, string>) => KayaLevel;
}

// Both are CommonJS without types.
const require = createRequire(import.meta.url);
const test: unknown = require('tape');
const suite = require('abstract-level/test') as (options: SuiteOptions) => void;

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('give an empty folder as the argument');

let storeCount = 0;

/** The suite looks at the options that a database was given, so ours are added behind its back. */
class SuiteLevel extends KayaLevel {
  override _open(options: KayaOpenOptions): Promise<void> {
    return super._open({ ...options, engine: testEngine });
  }
}

suite({
  test,
  factory: (options) => new SuiteLevel(join(folder, String(storeCount++)), options),
});
