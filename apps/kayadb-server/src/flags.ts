/** The command line: what was said on it, before anything is checked. */

import { Command, CommanderError, Option } from 'commander';

import { SETTING_HELP } from './setting-help.ts';
import { SETTING_NAMES, type SettingName } from './settings.ts';
import { refuseUnavailable } from './unavailable.ts';
import { UsageError } from './usage-error.ts';
import { VERSION } from './version.ts';

export type FlagValue = string | boolean | readonly string[];

/** `run`: the settings that were given, by name, and the config file. `print`: text for stdout, and nothing else to do. */
export type Invocation =
  | { readonly kind: 'print'; readonly text: string }
  | {
      readonly kind: 'run';
      readonly settings: ReadonlyMap<string, FlagValue>;
      readonly configFile: string | undefined;
    };

/**
 * The separator that package managers pass on (there are no positional arguments that it could precede), and a flag of
 * the original that switches off what this build does not have.
 */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(['--', '--no-audit-log']);

const EXAMPLES = `
Examples:
  kayadb-server                                        one node on 127.0.0.1:7379, data under ./data
  kayadb-server --data /var/lib/kayadb --config /etc/kayadb.toml
  kayadb-server --node-id 1 --peer 2=10.0.0.2:7481,10.0.0.2:7379 --peer 3=10.0.0.3:7481,10.0.0.3:7379 \\
    --raft-addr 10.0.0.1:7481 --client-addr 10.0.0.1:7379 --client-token-file /etc/kayadb/client-token \\
    --tls-cert /etc/kayadb/node.crt --tls-key /etc/kayadb/node.key --tls-ca /etc/kayadb/ca.crt
  kayadb-server --node-id 4 --join-cluster --peer 1=10.0.0.1:7481 ...
  KAYA_CLIENT_TOKEN=... kayadb-server --log-level debug

Each flag can also be given as an environment variable (--client-addr as KAYA_CLIENT_ADDR) or in the config file
(client-addr = "..."). Flags win over the environment, the environment wins over the file. Several nodes are one --peer
each, or one variable with spaces between, or a list in the file.
Exit codes: 0 stopped as asked, 1 I/O or no place in the group any more, 3 corruption, 4 invalid argument, 5 broken invariant, 6 directory locked.`;

export function parseFlags(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Invocation {
  refuseUnavailable(argv, env);
  let printed = '';
  const program = buildProgram((text) => {
    printed += text;
  });
  try {
    program.parse(
      argv.filter((argument) => !WITHOUT_EFFECT.has(argument)),
      { from: 'user' },
    );
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'print', text: printed };
    throw new UsageError(describeProblem(error), 'kayadb-server --help lists all flags', { cause: error });
  }
  const given = program.opts<Record<string, FlagValue>>();
  const settings = SETTING_NAMES.flatMap((name): readonly (readonly [string, FlagValue])[] => {
    const value = given[name];
    return value === undefined ? [] : [[name, value]];
  });
  const { config } = given;
  return { kind: 'run', settings: new Map(settings), configFile: typeof config === 'string' ? config : undefined };
}

/** The program without its action, as help and the documentation test see it. */
export function buildProgram(print: (text: string) => void): Command {
  const program = new Command('kayadb-server')
    .description('Runs one KayaDB node.')
    .version(`kayadb-server ${VERSION}`, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .option('--config <file>', 'settings in TOML or YAML')
    .addHelpText('after', EXAMPLES)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: () => {} });
  for (const name of SETTING_NAMES) program.addOption(new SettingOption(name));
  return program;
}

/** A flag whose value is kept under the name of its setting, as it is: `--no-metrics` is a setting of its own and not the contrary of another. */
class SettingOption extends Option {
  readonly #name: SettingName;

  constructor(name: SettingName) {
    const { placeholder, description, isList = false } = SETTING_HELP[name];
    super(placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`, description);
    this.#name = name;
    this.negate = false;
    if (isList) this.argParser<readonly string[] | undefined>((value, before) => [...(before ?? []), value]);
  }

  override attributeName(): string {
    return this.#name;
  }
}

/** Commander's complaint as one sentence of ours. It guesses what an unknown flag was meant to be. */
function describeProblem({ code, message }: CommanderError): string {
  const [what = '', guess = ''] = message.replace(/^error: /u, '').split('\n');
  const flag = /'(?<flag>--?[^\s']+)/u.exec(what)?.groups?.['flag'] ?? '';
  const meant = /Did you mean (?:one of )?(?<names>.*)\?/u.exec(guess)?.groups?.['names'];
  switch (code) {
    case 'commander.unknownOption':
      return meant === undefined ? `unknown flag ${flag}` : `unknown flag ${flag}; did you mean ${meant}?`;
    case 'commander.optionMissingArgument':
      return `${flag} needs a value`;
    case 'commander.excessArguments':
      return 'the server takes flags only, each of which begins with two dashes';
    default:
      return what;
  }
}
