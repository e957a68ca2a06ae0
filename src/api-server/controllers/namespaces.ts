// Namespaces: those that are always there, the default account in each, and the end of one, which takes all in it along.
import { fail, ok } from '../../ports/result.ts';
import { subjectOf } from '../kinds/admit.ts';
import type { ApiObject } from '../objects.ts';
import { notFound } from '../refusals.ts';
import { type Resource, resourceNamed, resources } from '../resources.ts';
import type { Controller, ControllerDeps } from './controller.ts';
import { Rounds } from './controller.ts';
import { hasFinalizers } from '../write.ts';

const always = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];
const inNamespaces: readonly Resource[] = resources.filter(({ stored, namespaced }) => stored && namespaced);
const writing = { validation: 'Ignore', dryRun: false } as const;
/** A pod that is waited for is looked at again with each change; this is for what was refused. */
const againMs = 5_000;

/** Resolves when the namespaces that are always there are stored. */
export async function startNamespaces(deps: ControllerDeps): Promise<Controller> {
  const namespaces = resourceNamed('namespaces');
  for (const name of always) if (deps.store.get({ resource: namespaces, namespace: '', name }) === undefined) await deps.writer.create({ resource: namespaces, namespace: '', name }, { metadata: { name } }, writing);
  await Promise.all([...deps.store.all(namespaces).values()].map((namespace) => ensureAccount(deps, namespace)));
  const rounds: Rounds = new Rounds(deps.clock, () => endAll(deps, rounds));
  const unlisten = deps.store.onChange(({ resource, before, after }) => {
    if (resource === 'namespaces' && before === undefined && after !== undefined) void ensureAccount(deps, after);
    if (resource === 'serviceaccounts' && after === undefined) rounds.due();
    if (ending(deps).length > 0) rounds.due();
  });
  rounds.due();
  return {
    stop() {
      unlisten();
      rounds.stop();
    },
  };
}

async function ensureAccount({ writer, store }: ControllerDeps, { metadata }: ApiObject): Promise<void> {
  const key = { resource: resourceNamed('serviceaccounts'), namespace: metadata.name, name: 'default' };
  if (metadata.deletionTimestamp === undefined && store.get(key) === undefined) await writer.create(key, { metadata: { name: 'default', namespace: metadata.name } }, writing);
}

function ending({ store }: ControllerDeps): readonly ApiObject[] {
  return [...store.all(resourceNamed('namespaces')).values()].filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
}

async function endAll(deps: ControllerDeps, rounds: Rounds): Promise<void> {
  const { store } = deps;
  for (const namespace of store.all(resourceNamed('namespaces')).values()) await ensureAccount(deps, namespace);
  for (const { metadata: { name } } of ending(deps)) {
    const key = { resource: resourceNamed('namespaces'), namespace: '', name };
    if (!(await empty(deps, name))) rounds.due(againMs);
    else await store.write(key, (current) => (current === undefined || hasFinalizers(current.metadata) ? fail(notFound(subjectOf(key))) : ok({ kind: 'delete' })));
  }
}

/** Asks for the end of everything in it; true when nothing is left. */
async function empty({ store, deleter }: ControllerDeps, namespace: string): Promise<boolean> {
  let left = 0;
  for (const resource of inNamespaces) {
    const inside = [...store.all(resource).values()].filter(({ metadata }) => metadata.namespace === namespace);
    for (const { metadata: { name } } of inside) await deleter.delete({ resource, namespace, name }, { grace: undefined, uid: '', resourceVersion: '', dryRun: false });
    left += [...store.all(resource).values()].filter(({ metadata }) => metadata.namespace === namespace).length;
  }
  return left === 0;
}
