// Takes out of settings and pods what may be secret: by the names of fields, because nobody says what is. Pure.

const masked = '(taken out)';
/** Words after which a value follows that is nobody's business. */
const telling = /((?:pass(?:word|wd)?|secret|token|api-?key|access-?key|credential)[a-z_-]*["']?\s*[=: ]\s*)("[^"]*"|'[^']*'|[^\s,;}\]]+)/gi;

/** Fields whose value is the secret itself, not the path of a file that holds it. Lines stay, so that a fault of the file is still in it. */
export function redactConfig(yaml: string): string {
  return yaml.replace(/(\b(?:mqttPassword|mqttSecretKey|mqttAccessKey)["']?\s*:\s*)("[^"]*"|'[^']*'|[^\s,}#][^\n,}#]*)/g, `$1${masked}`)
    .replace(/(mqtts?:\/\/)[^@/\s"']+@/g, `$1${masked}@`);
}

/** Values of environment variables, and what stands after telling words, anywhere in pods. Everything else is kept. */
export function redactPods<T>(value: T): T {
  // Same shape: only texts are changed.
  return redacted(value, '') as T;
}

function redacted(value: unknown, place: string): unknown {
  if (typeof value === 'string') return place.endsWith('.env.value') ? masked : value.replace(telling, `$1${masked}`);
  if (Array.isArray(value)) return value.map((each: unknown) => redacted(each, place));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, name === lastApplied ? masked : redacted(each, `${place}.${name}`)]));
}

/** The whole manifest once more, as text. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
