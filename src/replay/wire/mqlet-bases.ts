// The tokens a replayed node holds, as far as packets down tell: a push says against which object and status its difference was made. A node
// that wrote less often than the recorded one holds others by then, and would take the difference for a lost one.
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';
import { noDictionary, packBody, readBody } from '../../bus/dialects/mqlet/body.ts';
import { encodeFrame, type Frame } from '../../bus/dialects/mqlet/header.ts';
import { keyOfObject } from '../../bus/dialects/mqlet/tokens.ts';
import { objectName, textOf } from './wire.ts';

export class MqletBases {
  /** By key of the object; what is not known is not changed. */
  readonly #held = new Map<string, Held>();
  /** Keys by name of the object. */
  readonly #keys = new Map<string, string>([['Node', 'Node']]);

  /**
   * Notes what the packet brings.
   * @returns it with differences made against what the node holds; undefined where that is what they were made against
   */
  rebased(frame: Frame, request: string): Uint8Array | undefined {
    if (frame.type !== 'objects' && frame.type !== 'answer') return undefined;
    const body = readBody(frame);
    if (!body.ok) return undefined;
    const { accepted, put } = body.value;
    if (isJsonObject(accepted)) this.#noteAnswer(accepted, request);
    if (!Array.isArray(put)) return undefined;
    const entries = put.map((entry: unknown) => (isJsonObject(entry) ? this.#put(entry) : entry));
    if (entries.every((entry, index) => entry === put[index])) return undefined;
    const { dictionary = noDictionary, body: _body, ...header } = frame;
    return encodeFrame({ ...header, ...packBody({ ...body.value, put: entries }, { dictionary }) });
  }

  #noteAnswer({ token, status }: JsonObject, request: string): void {
    // `patchStatus Pod shop/web`, `patchStatus Node edge-07`.
    const [, kind = '', name = ''] = /^\S+ (\S+) (.+)$/.exec(request) ?? [];
    const key = this.#keys.get(kind === 'Node' ? kind : `${kind} ${name}`);
    if (key !== undefined) this.#hold(key, { token, status });
  }

  #put(entry: JsonObject): JsonObject {
    const { kind, object, key: given, base, token, status } = entry;
    const key = isJsonObject(object) ? keyOfObject(textOf(kind), object) : textOf(given);
    if (key === undefined) return entry;
    const held = this.#held.get(key) ?? {};
    const isChange = entry.change !== undefined;
    // A difference is one of the object without its status, which stays what it was.
    this.#hold(key, isChange ? { token } : { token, status });
    if (isJsonObject(object) && isJsonObject(object.metadata)) {
      const { namespace, name } = object.metadata;
      this.#keys.set(objectName(textOf(kind), { namespace: textOf(namespace), name: textOf(name) }), key);
    }
    const [against, known] = [held.token ?? base, held.status ?? status];
    return !isChange || (against === base && known === status) ? entry : { ...entry, base: against, status: known };
  }

  #hold(key: string, { token, status }: { readonly token?: unknown; readonly status?: unknown }): void {
    const given = { ...(typeof token === 'string' ? { token } : {}), ...(typeof status === 'string' ? { status } : {}) };
    this.#held.set(key, { ...this.#held.get(key), ...given });
  }
}

interface Held {
  readonly token?: string;
  readonly status?: string;
}
