/** What runs the directives of one script, one after the other. */

import type { Directive } from './script/parse-script.ts';

export interface Environment {
  /**
   * @returns What the directive prints.
   * @throws ScriptError when the directive makes no sense here.
   */
  run(directive: Directive): string;
}
