// Which agent a command line belongs to, and what it says: from words, or from a systemd unit with its drop-ins. Pure.

export type AgentKind = 'kubelet' | 'lite-kubelet';

export interface OtherAgent {
  readonly kind: AgentKind;
  /** Without the program. */
  readonly flags: readonly string[];
}

/** lite-kubelet is a kubelet with these; its program is called kubelet too. */
const liteFlags = /^--mqtt-(broker|broker-port|root-topic|access-key|secret-key|group|instance)(=|$)/;

/** @param words of the command line, the program first; undefined for one that is neither */
export function agentOf(words: readonly string[]): OtherAgent | undefined {
  const [program = '', ...flags] = words;
  const name = program.slice(program.lastIndexOf('/') + 1);
  if (name !== 'kubelet' && name !== 'lite-kubelet') return undefined;
  return { kind: kindOf(flags, name), flags };
}

export function kindOf(flags: readonly string[], name = ''): AgentKind {
  return name === 'lite-kubelet' || flags.some((flag) => liteFlags.test(flag)) ? 'lite-kubelet' : 'kubelet';
}

export interface UnitReading {
  /** The last command of the unit and its drop-ins, as systemd would start it. */
  readonly words: readonly string[];
  /** Files it names that could not be read, but those that may be missing. */
  readonly missing: readonly string[];
}

/**
 * @param texts of the unit and its drop-ins, in systemd's order
 * @param readFile of environment files
 * @see systemd.service(5), "Command lines"; systemd.exec(5), EnvironmentFile=
 */
export function readUnit(texts: readonly string[], readFile: (path: string) => string | undefined): UnitReading {
  const environment = new Map<string, string>();
  const missing: string[] = [];
  let command = '';
  for (const line of texts.flatMap((text) => text.replaceAll(/\\\r?\n/g, ' ').split(/\r?\n/))) {
    const [, key, value = ''] = /^\s*(ExecStart|Environment|EnvironmentFile)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key === 'ExecStart') command = value;
    else if (key === 'Environment') for (const pair of splitWords(value)) assign(environment, pair);
    else if (key === 'EnvironmentFile') {
      const file = value.replace(/^-/, '');
      const content = file === '' ? '' : readFile(file);
      if (content === undefined && !value.startsWith('-')) missing.push(file);
      for (const each of (content ?? '').split(/\r?\n/)) if (!/^\s*[#;]/.test(each)) assign(environment, unquoted(each.trim()));
    }
  }
  return { words: expanded(command.replace(/^[@\-:+!]+/, ''), environment), missing };
}

function assign(environment: Map<string, string>, pair: string): void {
  const at = pair.indexOf('=');
  if (at > 0) environment.set(pair.slice(0, at), pair.slice(at + 1));
}

function unquoted(line: string): string {
  const [, name, , value] = /^([^=]+)=(["'])(.*)\2$/.exec(line) ?? [];
  return name === undefined ? line : `${name}=${value ?? ''}`;
}

/** `$NAME` alone is split into words, `${NAME}` is one. */
function expanded(command: string, environment: ReadonlyMap<string, string>): readonly string[] {
  return splitWords(command).flatMap((word) => {
    const alone = /^\$([A-Za-z_]\w*)$/.exec(word)?.[1];
    if (alone !== undefined) return splitWords(environment.get(alone) ?? '');
    return [word.replaceAll(/\$\{([A-Za-z_]\w*)\}/g, (_all, name: string) => environment.get(name) ?? '')];
  });
}

function splitWords(line: string): readonly string[] {
  const words = line.match(/(?:[^\s"']|"(?:\\.|[^"\\])*"|'[^']*')+/g) ?? [];
  return words.map((word) => word.replaceAll(/"((?:\\.|[^"\\])*)"|'([^']*)'/g, (_all, double?: string, single?: string) => double?.replaceAll(/\\(.)/g, '$1') ?? single ?? ''));
}
