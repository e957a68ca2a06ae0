// Writes of a node that wait for their answers, as far as it takes them to read the answer: it says only what the node does not know
// (docs/wire.md, section 7). Bounded; of an answer to a forgotten write only what stands in it is read.
import type { ApiWrite } from '../../api-write.ts';
import { isJsonObject, type JsonObject } from '../json-value.ts';
import type { Holdings } from './holdings.ts';

/** More than may be in flight; beyond, the oldest is forgotten. */
const askedMax = 256;

export interface Asked {
  readonly verb: ApiWrite['verb'];
  readonly kind: ApiWrite['kind'];
  readonly namespace: string;
  readonly name: string;
  /** Of the object among the holdings, where the write says which it is. */
  readonly key: string | undefined;
  /** What was to be created. */
  readonly object: JsonObject | undefined;
}

export class AskedWrites {
  readonly #asked = new Map<string, Asked>();

  add(write: ApiWrite): Asked {
    const asked: Asked = {
      verb: write.verb, kind: write.kind, namespace: 'namespace' in write ? write.namespace : '', name: write.name, key: keyOf(write),
      // Plain data, whose declared interfaces lack an index signature.
      object: write.verb === 'create' && (write.kind === 'Pod' || write.kind === 'Node') ? (write.object as unknown as JsonObject) : undefined,
    };
    this.#asked.delete(write.id);
    this.#asked.set(write.id, asked);
    const [oldest] = this.#asked.size > askedMax ? this.#asked.keys() : [];
    if (oldest !== undefined) this.#asked.delete(oldest);
    return asked;
  }

  take(identity: string): Asked | undefined {
    const asked = this.#asked.get(identity);
    this.#asked.delete(identity);
    return asked;
  }
}

function keyOf(write: ApiWrite): string | undefined {
  if (write.kind === 'Node') return 'Node';
  if (write.kind !== 'Pod') return undefined;
  if (write.verb === 'delete') return write.uid;
  const metadata = write.verb === 'patchStatus' && 'metadata' in write.patch ? write.patch.metadata : undefined;
  const uid = isJsonObject(metadata) ? metadata.uid : undefined;
  return typeof uid === 'string' ? uid : undefined;
}

/**
 * Takes what an answer says of tokens into the holdings.
 * @returns the object of the answer, as far as it is known: a created one is what was sent, with what the API added
 */
export function acceptedAnswer(accepted: JsonObject, asked: Asked | undefined, holdings: Holdings): JsonObject | undefined {
  const { version, token, status, metadata, object } = accepted;
  const tokens = { ...(typeof token === 'string' ? { token } : {}), ...(typeof status === 'string' ? { status } : {}) };
  if (asked?.object !== undefined && isJsonObject(metadata)) {
    const sent = isJsonObject(asked.object.metadata) ? asked.object.metadata : {};
    if (asked.kind === 'Pod' && typeof metadata.uid === 'string' && tokens.token !== undefined && tokens.status !== undefined) {
      holdings.put(metadata.uid, { token: tokens.token, status: tokens.status, version, name: { namespace: asked.namespace, name: asked.name } });
    }
    return { ...asked.object, metadata: { ...sent, ...metadata } };
  }
  if (asked?.key !== undefined && asked.verb === 'patchStatus') holdings.answered(asked.key, { version, ...tokens });
  if (asked?.key !== undefined && asked.verb === 'delete') holdings.remove(asked.key, version);
  return isJsonObject(object) ? object : undefined;
}
