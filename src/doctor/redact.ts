// Takes out of settings and pods what may be secret: by the names of fields, because nobody says what is. Pure.

const masked = '(taken out)';
/** Words after which a value follows that is nobody's business. */
const telling = /((?:pass(?:word|wd)?|secret|token|api-?key|access-?key|credential)[a-z_-]*["']?\s*[=: ]\s*)("[^"]*"|'[^']*'|[^\s,;}\]]+)/gi;
/** A flag alone, whose value is the next argument. */
const tellingFlag = /^--?[\w.-]*(?:pass|secret|token|key|credential)[\w.-]*$/i;
/** A field on a line of its own. */
const secretLine = /^(\s*(?:- +)*)(["']?(?:mqttPassword|mqttSecretKey|mqttAccessKey)["']?\s*:)/;
const secretInFlow = /(\b(?:mqttPassword|mqttSecretKey|mqttAccessKey)["']?\s*:\s*)("(?:[^"\\]|\\[^])*"|'(?:[^']|'')*'|(?!\(taken out\))[^\s,}][^\n,}]*)/g;

/** Fields whose value is the secret itself, not the path of a file that holds it. Other lines stay, so that a fault of the file is still in it. */
export function redactConfig(yaml: string): string {
  return withoutSecretLines(yaml).replace(secretInFlow, `$1${masked}`).replace(/(mqtts?:\/\/)[^@/\s"']+@/g, `$1${masked}@`);
}

/** To the end of the line, and all below that is deeper: quotes and blocks may go on there. */
function withoutSecretLines(yaml: string): string {
  const lines: string[] = [];
  let within: number | undefined;
  for (const line of yaml.split('\n')) {
    const isBlank = line.trim() === '';
    if (within !== undefined && !isBlank && indentOf(line) <= within) within = undefined;
    const [, indent, field] = within === undefined ? (secretLine.exec(line) ?? []) : [];
    if (indent !== undefined && field !== undefined) {
      within = indent.length;
      lines.push(`${indent}${field} ${masked}`);
    } else if (within === undefined || isBlank) lines.push(line);
  }
  return lines.join('\n');
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/**
 * Values of environment variables, and what stands after telling words and flags, anywhere in pods. Everything else is kept.
 * @param known takes out the values that are known, before anything is cut at a word
 */
export function redactPods<T>(value: T, known: (text: string) => string = (text) => text): T {
  // Same shape: only texts are changed.
  return redacted(value, '', known) as T;
}

function redacted(value: unknown, place: string, known: (text: string) => string): unknown {
  if (typeof value === 'string') return place.endsWith('.env.value') ? masked : known(value).replace(telling, `$1${masked}`);
  if (Array.isArray(value)) return value.map((each: unknown, index) => (isValueOfFlag(value[index - 1], each) ? masked : redacted(each, place, known)));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, name === lastApplied ? masked : redacted(each, `${place}.${name}`, known)]));
}

function isValueOfFlag(before: unknown, value: unknown): boolean {
  return typeof before === 'string' && tellingFlag.test(before) && typeof value === 'string' && !value.startsWith('--');
}

/** The whole manifest once more, as text. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
