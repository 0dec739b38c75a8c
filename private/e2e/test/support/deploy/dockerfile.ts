/** A Dockerfile as a list of instructions, in stages. */

export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** By stage; continued lines are one. */
export function parseDockerfile(text: string): readonly (readonly Instruction[])[] {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const stages: Instruction[][] = [];
  for (const line of lines) {
    const match = /^(?<name>[A-Z]+) (?<text>.*)$/u.exec(line)?.groups;
    if (match === undefined) {
      if (line.trim() !== '') throw new Error(`no instruction: ${line}`);
      continue;
    }
    const instruction = { name: match['name']!, text: match['text']! };
    if (instruction.name === 'FROM') stages.push([]);
    stages.at(-1)!.push(instruction);
  }
  return stages;
}

/** Texts of an instruction in a stage. */
export function textsOf(stage: readonly Instruction[], name: string): readonly string[] {
  return stage.filter((each) => each.name === name).map(({ text }) => text);
}

/** The words of an instruction in exec form, `["a", "b"]`. @throws SyntaxError for another form. */
export function wordsOf(text: string): readonly string[] {
  return JSON.parse(text.slice(text.indexOf('['))) as readonly string[];
}
