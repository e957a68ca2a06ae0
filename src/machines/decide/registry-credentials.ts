// Who may pull an image: pull secrets read, and matched with the image's registry and path. Errors never quote a value.
import type { PullAuth } from '../../ports/runtime-port.ts';

/** One entry of a pull secret. */
export interface RegistryCredential {
  /** Host parts with `*` and `?`, a port, a path: `registry.example:5000/team`. */
  readonly location: string;
  readonly auth: PullAuth;
}

/** Entries of one secret; more are ignored. */
const entriesMax = 100;
const dockerHub = 'index.docker.io';

const keyOfType: Readonly<Record<string, string>> = {
  'kubernetes.io/dockerconfigjson': '.dockerconfigjson',
  'kubernetes.io/dockercfg': '.dockercfg',
};

/**
 * @param type of the secret
 * @param valueOf its bytes by key
 * @returns undefined when it is no pull secret, or not a readable one
 */
export function pullSecretCredentials(type: string, valueOf: (key: string) => Uint8Array | undefined): readonly RegistryCredential[] | undefined {
  const key = keyOfType[type];
  const bytes = key === undefined ? undefined : valueOf(key);
  const parsed = bytes === undefined ? undefined : jsonRecord(new TextDecoder().decode(bytes));
  const entries = key === '.dockerconfigjson' ? recordOf(parsed?.['auths']) : parsed;
  if (entries === undefined) return undefined;
  return Object.entries(entries).slice(0, entriesMax).flatMap(([location, entry]) => {
    const record = recordOf(entry);
    return record === undefined ? [] : [{ location: plainLocation(location), auth: authOf(record) }];
  });
}

function authOf(entry: Readonly<Record<string, unknown>>): PullAuth {
  const text = (name: string) => (typeof entry[name] === 'string' ? entry[name] : '');
  const [username = '', ...password] = Buffer.from(text('auth'), 'base64').toString('utf8').split(':');
  return {
    username: text('username') || username,
    password: text('password') || password.join(':'),
    auth: '',
    // Runtimes read it as a URL and give nothing to another host; that the entry fits has been found out here.
    serverAddress: '',
    identityToken: text('identitytoken'),
    registryToken: text('registrytoken'),
  };
}

/** Without scheme, and without the version in front of the path, which means the whole host. */
function plainLocation(location: string): string {
  return location.replace(/^https?:\/\//, '').replace(/^([^/]*)\/v[12](?=\/)/, '$1').replace(/\/+$/, '');
}

/**
 * The credentials to try for an image, best first: longer locations before shorter ones.
 * @see kubelet behaviour, "Images": matching
 */
export function credentialsFor(image: string, known: readonly RegistryCredential[]): readonly PullAuth[] {
  const target = repositoryOf(image);
  const sorted = [...known].sort((a, b) => (a.location < b.location ? 1 : a.location > b.location ? -1 : 0));
  const matching = sorted.filter(({ location }) => locationMatches(location, target));
  if (matching.length > 0) return matching.map(({ auth }) => auth);
  return isOnDockerHub(image) ? sorted.filter(({ location }) => location === dockerHub).map(({ auth }) => auth) : [];
}

/** Registry and path, without tag and digest. */
function repositoryOf(image: string): string {
  const name = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  if (!isOnDockerHub(name)) return name;
  const path = name.replace(/^(?:index\.)?docker\.io\//, '');
  return `docker.io/${path.includes('/') ? path : `library/${path}`}`;
}

function isOnDockerHub(image: string): boolean {
  const slash = image.indexOf('/');
  if (slash < 0) return true;
  const host = image.slice(0, slash);
  return host === 'docker.io' || host === dockerHub || (!/[.:]/.test(host) && host !== 'localhost');
}

function locationMatches(location: string, target: string): boolean {
  const wanted = splitLocation(location);
  const given = splitLocation(target);
  if (wanted.port !== given.port || wanted.host.length !== given.host.length || !given.path.startsWith(wanted.path)) return false;
  return wanted.host.every((part, index) => partMatches(part, given.host[index] ?? ''));
}

function splitLocation(location: string): { readonly host: readonly string[]; readonly port: string; readonly path: string } {
  const slash = location.indexOf('/');
  const [name = '', port = ''] = (slash < 0 ? location : location.slice(0, slash)).split(':');
  return { host: name.split('.'), port, path: slash < 0 ? '' : location.slice(slash) };
}

/** `*` and `?` within one part of a host name. Walked by hand: a pattern from the wire makes no regular expression here. */
function partMatches(pattern: string, text: string): boolean {
  let at = 0;
  let star: { readonly pattern: number; text: number } | undefined;
  let place = 0;
  while (place < text.length) {
    if (pattern[at] === '*') star = { pattern: at++, text: place };
    else if (pattern[at] === '?' || (pattern[at] !== undefined && pattern[at] === text[place])) {
      at += 1;
      place += 1;
    } else if (star !== undefined) {
      at = star.pattern + 1;
      star.text += 1;
      place = star.text;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

function jsonRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return recordOf(JSON.parse(text));
  } catch {
    // The error would quote the text, which is a secret.
    return undefined;
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value as Readonly<Record<string, unknown>>; // An object; its values are looked at one by one.
}
