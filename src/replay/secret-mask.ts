// Takes the values of secrets out of a recording: the same value by the same word wherever it appears, so that the recorded run
// still makes sense, and runs again the same.
import { gunzipSync, gzipSync } from 'node:zlib';
import { rewriteText } from '../bus/dialects/mqlet/rewrite-text.ts';
import type { StoredObject } from '../ports/stored-object.ts';

/** Shorter values may be common words: they are replaced only where a secret is known to stand. */
const plainLengthMin = 8;
/** Shorter base64 text may be a word, unless it ends as only base64 does. */
const base64LengthMin = 8;
/** Unpacked size of a packet that is looked into. */
const unpackedBytesMax = 16 * 1024 * 1024;
const dockerConfigTypes: ReadonlySet<string> = new Set(['kubernetes.io/dockerconfigjson', 'kubernetes.io/dockercfg']);

export class SecretMask {
  /** What to replace, by itself, and the word for it. */
  readonly #words = new Map<string, string>();
  /** Short values, which are replaced only as a whole and where a secret may stand. */
  readonly #shortWords = new Map<string, string>();
  #pattern: RegExp | undefined;
  #count = 0;

  /** Whatever an agent learns of an object; config maps are no secrets. */
  learnObject({ kind, type, data }: StoredObject): void {
    if (kind !== 'Secret') return;
    for (const key of data.keys()) {
      const value = data.get(key);
      if (value === undefined || value.byteLength === 0) continue;
      if (dockerConfigTypes.has(type)) this.#learnDockerConfig(Buffer.from(value).toString('utf8'));
      else this.learn(value);
    }
  }

  learn(value: Uint8Array | string): void {
    const bytes = Buffer.from(value);
    const text = bytes.toString('utf8');
    if (this.#words.has(text) || this.#shortWords.has(text) || text === '') return;
    this.#count += 1;
    const word = `masked-${this.#count}`;
    if (text.length < plainLengthMin) this.#shortWords.set(text, word);
    else this.#replace(text, word);
    const base64 = bytes.toString('base64');
    if (base64.length >= base64LengthMin || base64.endsWith('=')) this.#replace(base64, Buffer.from(word).toString('base64'));
  }

  /** Text of any kind: JSON, YAML, a message. */
  text(text: string): string {
    if (this.#words.size === 0) return text;
    this.#pattern ??= new RegExp([...this.#words.keys()].sort((a, b) => b.length - a.length).map(escaped).join('|'), 'g');
    return text.replace(this.#pattern, (found) => this.#words.get(found) ?? found);
  }

  /** An encoded value (values.ts), with packed payloads looked into. */
  value(value: unknown): unknown {
    if (this.#count === 0) return value;
    if (typeof value === 'string') return this.#shortWords.get(value) ?? this.text(value);
    if (Array.isArray(value)) return value.map((each: unknown) => this.value(each));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [only] = entries;
    if (entries.length === 1 && only?.[0] === '$bytes') return { $bytes: this.packed(String(only[1])) };
    return Object.fromEntries(entries.map(([key, each]: [string, unknown]) => [key, plainFields.has(key) ? this.#longOnly(each) : this.value(each)]));
  }

  /** Names and identities: a short secret that happens to be equal is none of theirs. */
  #longOnly(value: unknown): unknown {
    return typeof value === 'string' ? this.text(value) : this.value(value);
  }

  /** @param base64 of a payload; those of our dialects are looked into, anything else is left as it is */
  packed(base64: string): string {
    return this.understood(base64) ?? base64;
  }

  /** @returns undefined for what no dialect of ours packs */
  understood(base64: string): string | undefined {
    const bytes = Buffer.from(base64, 'base64');
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
      const rewritten = rewriteText(bytes, (text) => this.text(text));
      // A part of a message can neither be looked into nor packed anew: it is left out.
      return rewritten === 'fragment' ? '' : rewritten && Buffer.from(rewritten).toString('base64');
    }
    try {
      const text = gunzipSync(bytes, { maxOutputLength: unpackedBytesMax }).toString('utf8');
      const masked = this.text(text);
      return masked === text ? base64 : gzipSync(masked).toString('base64');
    } catch {
      // What cannot be unpacked reached nobody as a secret either.
      return base64;
    }
  }

  /** The credentials inside, so that what is left is still a configuration; `auth` stays the base64 of a name and a password. */
  #learnDockerConfig(text: string): void {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      this.learn(text);
      return;
    }
    const whole = Buffer.from(text).toString('base64');
    for (const [key, value] of credentialsIn(parsed)) {
      this.learn(value);
      if (key !== 'auth') continue;
      const [name = '', ...password] = Buffer.from(value, 'base64').toString('utf8').split(':');
      if (password.length === 0) continue;
      this.learn(password.join(':'));
      this.#replace(value, Buffer.from(`${name}:masked-${this.#count}`).toString('base64'));
    }
    this.#replace(whole, Buffer.from(this.text(text)).toString('base64'));
  }

  #replace(text: string, word: string): void {
    this.#words.set(text, word);
    const inJson = JSON.stringify(text).slice(1, -1);
    if (inJson !== text) this.#words.set(inJson, word);
    this.#pattern = undefined;
  }
}

/** Fields that hold names, never values. */
const plainFields: ReadonlySet<string> = new Set(['k', 'port', 'method', 'topic', 'namespace', 'name', 'uid', 'kind', 'type', 'path', 'reason', 'state', 'key', 'image']);

const credentialFields: ReadonlySet<string> = new Set(['auth', 'password', 'identitytoken', 'registrytoken', 'identityToken', 'registryToken']);

function* credentialsIn(value: unknown): Generator<readonly [key: string, value: string]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, each] of Object.entries(value) as readonly (readonly [string, unknown])[]) { // fields of parsed JSON
    if (typeof each === 'string' && credentialFields.has(key) && each !== '') yield [key, each];
    else yield* credentialsIn(each);
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
