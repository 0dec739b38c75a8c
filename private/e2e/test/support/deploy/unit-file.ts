/** Unit files of systemd, as far as ours go: a directive is a line, and may be there more than once. */

export type UnitFile = ReadonlyMap<string, readonly string[]>;

/** By section and name, as in `Service.User`. */
export function parseUnit(text: string): UnitFile {
  const found = new Map<string, string[]>();
  let section = '';
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const heading = /^\[(?<name>\w+)\]$/u.exec(line)?.groups?.['name'];
    const directive = /^(?<name>\w+)=(?<value>.*)$/u.exec(line)?.groups;
    if (heading !== undefined) section = heading;
    else if (directive !== undefined) {
      const name = `${section}.${directive['name']!}`;
      found.set(name, [...(found.get(name) ?? []), directive['value']!]);
    } else throw new Error(`neither a section nor a directive: ${line}`);
  }
  return found;
}
