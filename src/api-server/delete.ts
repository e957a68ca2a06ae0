// Deletion: at once, or marked and waited for: a pod on a node until its node has stopped it, anything with finalizers until they are gone.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { parseRfc3339, rfc3339Seconds } from '../ports/rfc3339.ts';
import { subjectOf } from './kinds/admit.ts';
import { type ApiKey, type ApiObject, numberAt, part, textAt } from './objects.ts';
import { conflict, forbidden, notFound, type Refusal } from './refusals.ts';
import type { Decision, ObjectStore } from './store/object-store.ts';
import { hasFinalizers } from './write.ts';

export interface DeleteOptions {
  /** Seconds; undefined: the pod's own. */
  readonly grace: number | undefined;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly dryRun: boolean;
}

export interface Deleted {
  /** Its last state, or how it stands while it is waited for. */
  readonly object: ApiObject;
  readonly gone: boolean;
}

const graceDefaultSeconds = 30;
/** Without these nothing works. */
const immortal: ReadonlySet<string> = new Set(['default', 'kube-node-lease', 'kube-public', 'kube-system']);

export class Deleter {
  readonly #store: ObjectStore;
  readonly #clock: ClockPort;

  constructor(deps: { readonly store: ObjectStore; readonly clock: ClockPort }) {
    this.#store = deps.store;
    this.#clock = deps.clock;
  }

  async delete(key: ApiKey, options: DeleteOptions): Promise<Result<Deleted, Refusal>> {
    let gone = false;
    const decide = (current: ApiObject | undefined): Result<Decision, Refusal> => {
      if (current === undefined) return fail(notFound(subjectOf(key)));
      const refused = refusalOf(key, current, options);
      if (refused !== undefined) return fail(refused);
      const decision = this.#decision(current, options);
      gone = decision.kind === 'delete';
      return ok(decision);
    };
    if (options.dryRun) {
      const current = this.#store.get(key);
      const decided = decide(current);
      if (!decided.ok) return decided;
      return current === undefined ? fail(notFound(subjectOf(key))) : ok({ object: current, gone });
    }
    const stored = await this.#store.write(key, decide);
    return stored.ok ? ok({ object: stored.value, gone }) : stored;
  }

  #decision(current: ApiObject, options: DeleteOptions): Decision {
    const seconds = graceOf(current, options.grace);
    const held = hasFinalizers(current.metadata) || (current.kind === 'Namespace' && hasFinalizers(part(current, 'spec')));
    if (seconds === 0 && !held) return { kind: 'delete' };
    const marked = numberAt(current.metadata, 'deletionGracePeriodSeconds');
    const since = current.metadata.deletionTimestamp;
    // A second deletion may shorten the wait, never lengthen it; without a wish of its own it changes nothing.
    if (since !== undefined && (options.grace === undefined || marked === undefined || seconds >= marked)) return { kind: 'keep', object: current };
    const beganMs = since === undefined ? this.#clock.nowMs() : (parseRfc3339(since) ?? this.#clock.nowMs()) - (marked ?? 0) * 1_000;
    const metadata = { ...current.metadata, deletionTimestamp: rfc3339Seconds(beganMs + seconds * 1_000), deletionGracePeriodSeconds: seconds };
    const status = current.kind === 'Namespace' ? { status: { ...part(current, 'status'), phase: 'Terminating' } } : {};
    return { kind: 'put', object: { ...current, ...status, metadata } };
  }
}

function refusalOf(key: ApiKey, current: ApiObject, { uid, resourceVersion }: DeleteOptions): Refusal | undefined {
  const { metadata } = current;
  if (uid !== '' && uid !== metadata.uid) return conflict(subjectOf(key), `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`);
  if (resourceVersion !== '' && resourceVersion !== metadata.resourceVersion) {
    return conflict(subjectOf(key), `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`);
  }
  return current.kind === 'Namespace' && immortal.has(metadata.name) ? forbidden(subjectOf(key), 'this namespace may not be deleted') : undefined;
}

/** Nothing waits but a pod that runs, or may, on a node. */
function graceOf(object: ApiObject, asked: number | undefined): number {
  if (object.kind !== 'Pod') return 0;
  const spec = part(object, 'spec');
  const phase = part(object, 'status')['phase'];
  if (textAt(spec, 'nodeName') === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
  const seconds = asked ?? numberAt(spec, 'terminationGracePeriodSeconds') ?? graceDefaultSeconds;
  return seconds < 0 ? 1 : seconds;
}

/** The options of a DELETE's body, with those of its query for what the body leaves open. */
export function deleteOptionsOf(body: JsonObject, query: ReadonlyMap<string, string>, dryRun: boolean): DeleteOptions {
  const preconditions = part(body, 'preconditions');
  const inQuery = query.get('gracePeriodSeconds');
  const asked = numberAt(body, 'gracePeriodSeconds') ?? (inQuery !== undefined && /^\d{1,9}$/.test(inQuery) ? Number(inQuery) : undefined);
  const dry = Array.isArray(body['dryRun']) && body['dryRun'].includes('All');
  return { grace: asked, uid: textAt(preconditions, 'uid'), resourceVersion: textAt(preconditions, 'resourceVersion'), dryRun: dryRun || dry };
}
