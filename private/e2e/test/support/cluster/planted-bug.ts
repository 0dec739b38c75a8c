/** The real server with a bug in it, planted while a file of it is loaded: no file is changed on disk. A check that does not find it is worth nothing. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { KAYADB_SERVER, ROOT } from '../repository.ts';

export interface PlantedBug {
  /** As built, from the root of the repository. */
  readonly file: string;
  /** Text that stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** Arguments of `node`, as `ClusterProcessesOptions.program`. @throws Error when the text is not there once. */
export function serverWith({ file, find, replace }: PlantedBug): readonly string[] {
  const path = join(ROOT, file);
  const count = readFileSync(path, 'utf8').split(find).length - 1;
  if (count !== 1) throw new Error(`${file} has the text to be changed ${count} times`);
  const hooks = `
    export async function load(url, context, next) {
      const loaded = await next(url, context);
      if (url !== ${JSON.stringify(pathToFileURL(path).href)}) return loaded;
      return { ...loaded, source: Buffer.from(loaded.source).toString().replace(${JSON.stringify(find)}, () => ${JSON.stringify(replace)}) };
    }`;
  const register = `import { register } from 'node:module'; register(${JSON.stringify(asModule(hooks))});`;
  return ['--import', asModule(register), KAYADB_SERVER];
}

function asModule(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}
