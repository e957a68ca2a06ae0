// CredentialsPort over files, and what the MQTT client takes from them before each connection. What was read last and fits together
// stays in memory, so that a renewal caught half-way, or a disk that fails, costs nothing.
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import path from 'node:path';
import type { CredentialsFault, CredentialsPort, CredentialsState } from '../ports/credentials-port.ts';
import type { FilesPort } from '../ports/files-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { factsOf } from './mqtt/certificates.ts';
import type { MqttTls } from './mqtt/mqtt-socket.ts';

/** Absolute paths, each with the flag that named it. */
export interface CredentialFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly password?: string | undefined;
}

/** What a connection is made with. Secret: never log it. */
export interface MqttMaterial {
  readonly tls: Pick<MqttTls, 'ca' | 'cert' | 'key'>;
  /** Undefined where no file holds one. */
  readonly password: string | undefined;
}

const flags = { ca: '--mqtt-ca-file', cert: '--mqtt-cert-file', key: '--mqtt-key-file', password: '--mqtt-password-file' } as const satisfies Record<keyof CredentialFiles, string>;
/** A chain of certificates has some kilobytes. */
const fileBytesMax = 1024 * 1024;

interface Read {
  readonly material: MqttMaterial;
  readonly state: CredentialsState;
}

export class MqttCredentials implements CredentialsPort {
  readonly #files: FilesPort;
  readonly #paths: CredentialFiles;
  #good: Read | undefined;
  #inUse: CredentialsState | undefined;

  constructor(files: FilesPort, paths: CredentialFiles) {
    this.#files = files;
    this.#paths = paths;
  }

  /** For the client: the newest material that can be used; undefined when there never was any. */
  async take(): Promise<Result<MqttMaterial, CredentialsFault>> {
    const read = await this.reload();
    if (this.#good === undefined) return read.ok ? fail({ message: 'nothing was read' }) : read;
    this.#inUse = this.#good.state;
    return ok(this.#good.material);
  }

  async reload(): Promise<Result<CredentialsState, CredentialsFault>> {
    const texts = new Map<keyof CredentialFiles, string>();
    for (const kind of Object.keys(flags) as (keyof CredentialFiles)[]) { // the keys of this very record
      const file = this.#paths[kind];
      if (file === undefined) continue;
      const content = await this.#files.read(file, { bytesMax: fileBytesMax });
      if (!content.ok) return fail({ message: `${flags[kind]} ${content.fault.message}` });
      const text = new TextDecoder().decode(content.value);
      if (text.trim() === '') return fail({ message: `${flags[kind]} ${file}: is empty` });
      texts.set(kind, text);
    }
    const checked = this.#check(texts);
    if (!checked.ok) return checked;
    const { certificate } = checked.value;
    const hash = createHash('sha256');
    for (const kind of ['ca', 'cert', 'key'] as const) hash.update(`${kind}\0${texts.get(kind) ?? ''}\0`);
    const state = { version: hash.digest('hex').slice(0, 16), certificate: certificate === undefined ? undefined : factsOf(certificate) };
    this.#good = {
      material: { tls: { ca: texts.get('ca'), cert: texts.get('cert'), key: texts.get('key') }, password: texts.get('password')?.trim() },
      state,
    };
    return ok(state);
  }

  inUse(): CredentialsState | undefined {
    return this.#inUse;
  }

  watch(changed: () => void): Stoppable {
    const { ca, cert, key } = this.#paths;
    // The directories, for a renewal replaces files, or a link that all of them go through.
    const directories = new Set([ca, cert, key].flatMap((file) => (file === undefined ? [] : [path.dirname(file)])));
    const watches = [...directories].map((directory) => this.#files.watch(directory, changed));
    return {
      stop: async () => {
        for (const each of watches) await each.stop();
      },
    };
  }

  /** Certificate and key are renewed one after the other: between the two they do not fit. */
  #check(texts: ReadonlyMap<keyof CredentialFiles, string>): Result<{ readonly certificate: X509Certificate | undefined }, CredentialsFault> {
    const read = <T>(kind: 'ca' | 'cert' | 'key', parse: (text: string) => T): Result<T | undefined, CredentialsFault> => {
      const text = texts.get(kind);
      if (text === undefined) return ok(undefined);
      try {
        return ok(parse(text));
      } catch {
        // OpenSSL's own words name its source lines and may quote the text.
        return fail({ message: `${flags[kind]} ${this.#paths[kind] ?? ''}: is no PEM ${kind === 'key' ? 'key without passphrase' : 'certificate'}` });
      }
    };
    const ca = read('ca', (text) => new X509Certificate(text));
    if (!ca.ok) return ca;
    const certificate = read('cert', (text) => new X509Certificate(text));
    if (!certificate.ok) return certificate;
    const key = read('key', (text) => createPrivateKey(text));
    if (!key.ok) return key;
    if (certificate.value !== undefined && key.value !== undefined && !certificate.value.checkPrivateKey(key.value)) {
      return fail({ message: `${flags.key} ${this.#paths.key ?? ''}: is not the key of the certificate in ${flags.cert} ${this.#paths.cert ?? ''}` });
    }
    return ok({ certificate: certificate.value });
  }
}
