// The tokens a replayed node holds, as far as packets down tell: a push says against which of them its difference was made. A node that wrote
// less often than the recorded one holds another token by then, and would take the difference for a lost one.
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';
import { noDictionary, packBody, readBody } from '../../bus/dialects/mqlet/body.ts';
import { encodeFrame, type Frame } from '../../bus/dialects/mqlet/header.ts';
import { keyOfObject } from '../../bus/dialects/mqlet/tokens.ts';
import { objectName, textOf } from './wire.ts';

export class MqletBases {
  /** By key of the object. */
  readonly #tokens = new Map<string, string>();
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

  #noteAnswer({ token }: JsonObject, request: string): void {
    // `patchStatus Pod shop/web`, `patchStatus Node edge-07`.
    const [, kind = '', name = ''] = /^\S+ (\S+) (.+)$/.exec(request) ?? [];
    const key = this.#keys.get(kind === 'Node' ? kind : `${kind} ${name}`);
    if (key !== undefined && typeof token === 'string') this.#tokens.set(key, token);
  }

  #put(entry: JsonObject): JsonObject {
    const { kind, object, key: given, base, token } = entry;
    const key = isJsonObject(object) ? keyOfObject(textOf(kind), object) : textOf(given);
    if (key === undefined || typeof token !== 'string') return entry;
    const held = this.#tokens.get(key);
    this.#tokens.set(key, token);
    if (isJsonObject(object) && isJsonObject(object.metadata)) {
      const { namespace, name } = object.metadata;
      this.#keys.set(objectName(textOf(kind), { namespace: textOf(namespace), name: textOf(name) }), key);
    }
    return entry.change === undefined || held === undefined || held === base ? entry : { ...entry, base: held };
  }
}
