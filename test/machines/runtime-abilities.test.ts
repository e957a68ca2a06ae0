// What only some runtimes can do, by the runtime's own word: recursive read-only mounts and user namespaces; and volumes of huge pages.
import { describe, expect, it } from 'vitest';
import { hugePagesSize } from '../../src/machines/decide/huge-pages.ts';
import { handlerOf, mountStatuses, recursiveReadOnly, userNamespaceFault } from '../../src/machines/decide/runtime-abilities.ts';
import { containerMounts, volumeNeeds } from '../../src/machines/decide/volumes.ts';
import type { Container, PodSpec } from '../../src/ports/pod-types.ts';
import type { RuntimeHandlerFacts } from '../../src/ports/runtime-handlers.ts';
import { nodeSettings } from '../support/node-settings.ts';
import { aContainer, aPod } from '../support/pods.ts';

type Mount = NonNullable<Container['volumeMounts']>[number];

const able: RuntimeHandlerFacts = { name: '', recursiveReadOnlyMounts: true, userNamespaces: true };
const kata: RuntimeHandlerFacts = { name: 'kata', recursiveReadOnlyMounts: false, userNamespaces: false };
const mount = (part: Partial<Mount>): Mount => ({ name: 'data', mountPath: '/data', readOnly: true, ...part });

describe('recursive read-only mounts', () => {
  const no = 'volume "data" requested recursive read-only mode, but it is';

  it.each<[string, Partial<Mount>, RuntimeHandlerFacts | undefined, ReturnType<typeof recursiveReadOnly>]>([
    ['nothing asked', {}, able, { ok: true, value: false }],
    ['Disabled', { recursiveReadOnly: 'Disabled' }, able, { ok: true, value: false }],
    ['Enabled and a runtime that can', { recursiveReadOnly: 'Enabled' }, able, { ok: true, value: true }],
    ['Enabled and an older runtime', { recursiveReadOnly: 'Enabled' }, undefined, { ok: false, fault: `${no} not supported by the runtime` }],
    ['Enabled and a handler that cannot', { recursiveReadOnly: 'Enabled' }, kata, { ok: false, fault: `${no} not supported by the runtime` }],
    ['IfPossible and a runtime that can', { recursiveReadOnly: 'IfPossible' }, able, { ok: true, value: true }],
    ['IfPossible and an older runtime', { recursiveReadOnly: 'IfPossible' }, undefined, { ok: true, value: false }],
    ['a mount that is written', { recursiveReadOnly: 'IfPossible', readOnly: false }, able, { ok: false, fault: `${no} not read-only` }],
    ['propagation', { recursiveReadOnly: 'Enabled', mountPropagation: 'HostToContainer' }, able, { ok: false, fault: `${no} not compatible with propagation "HostToContainer"` }],
  ])('given %s, then %j', (_what, part, handler, expected) => {
    expect(recursiveReadOnly(mount(part), handler)).toEqual(expected);
  });

  it('given a container with such a mount, then CRI is asked for it and the status tells of all its mounts', () => {
    const container = aContainer('app', { volumeMounts: [mount({ recursiveReadOnly: 'IfPossible' }), { name: 'data', mountPath: '/written' }, mount({ mountPath: '/plain' })] });
    const desired = aPod({ containers: [container], volumes: [{ name: 'data', emptyDir: {} }] });
    const asked = (handler?: RuntimeHandlerFacts) => {
      const made = containerMounts(desired, container, nodeSettings, handler);
      return made.ok && made.value.map(({ readonly, recursiveReadOnly: recursive }) => [readonly, recursive]);
    };
    expect([asked(able), asked()]).toEqual([[[true, true], [false, undefined], [true, undefined]], [[true, undefined], [false, undefined], [true, undefined]]]);
    expect(mountStatuses(container, able)).toEqual({ volumeMounts: [
      { name: 'data', mountPath: '/data', readOnly: true, recursiveReadOnly: 'Enabled' }, { name: 'data', mountPath: '/written' },
      { name: 'data', mountPath: '/plain', readOnly: true, recursiveReadOnly: 'Disabled' },
    ] });
    expect(mountStatuses(aContainer('app', { volumeMounts: [mount({})] }), able)).toEqual({});
  });

  it('given runtime classes, then the handler of that name is meant', () => {
    expect([handlerOf(aPod(), [kata, able]), handlerOf(aPod({ runtimeClassName: 'kata' }), [kata, able]), handlerOf(aPod({ runtimeClassName: 'other' }), [kata, able])]).toEqual([able, kata, undefined]);
  });
});

describe('user namespaces', () => {
  const can = "can't set `spec.hostUsers: false`,";
  it.each<[string, Partial<PodSpec>, readonly RuntimeHandlerFacts[], string | undefined]>([
    ['no wish', {}, [], undefined],
    ['the users of the host', { hostUsers: true }, [], undefined],
    ['a runtime that does not tell', { hostUsers: false }, [], `${can} runtime does not support user namespaces`],
    ['a handler that cannot', { hostUsers: false, runtimeClassName: 'kata' }, [able, kata], `${can} RuntimeClass handler "kata" does not support user namespaces`],
    ['a runtime that can', { hostUsers: false }, [able], `${can} this version of the node agent makes no user namespaces`],
  ])('given %s, then %j', (_what, spec, handlers, expected) => {
    expect(userNamespaceFault(aPod(spec), handlers)).toBe(expected);
  });
});

describe('huge pages', () => {
  const asks = (...requests: Record<string, string>[]): Partial<PodSpec> => ({ containers: requests.map((each, index) => aContainer(`c${index}`, { resources: { requests: each } })) });
  const two = { 'hugepages-2Mi': '4Mi' };

  it.each<[string, string, Partial<PodSpec>, ReturnType<typeof hugePagesSize>]>([
    ['one size', 'HugePages', asks(two), { ok: true, value: { pageBytes: 2 ** 21, sizeBytes: 2 ** 22 } }],
    ['two containers', 'HugePages-2Mi', asks(two, two), { ok: true, value: { pageBytes: 2 ** 21, sizeBytes: 2 ** 23 } }],
    ['two sizes and one named', 'HugePages-1Gi', asks(two, { 'hugepages-1Gi': '1Gi' }), { ok: true, value: { pageBytes: 2 ** 30, sizeBytes: 2 ** 30 } }],
    ['two sizes and none named', 'HugePages', asks(two, { 'hugepages-1Gi': '1Gi' }), { ok: false, fault: 'medium HugePages cannot be used when containers request several sizes of huge pages; name the size, as in HugePages-2Mi' }],
    ['none asked for', 'HugePages', asks({}), { ok: false, fault: 'medium HugePages needs a container that requests such huge pages' }],
    ['another size asked for', 'HugePages-1Gi', asks(two), { ok: false, fault: 'medium HugePages-1Gi needs a container that requests such huge pages' }],
  ])('given %s, then %j', (_what, medium, spec, expected) => {
    const desired = aPod(spec);
    expect(hugePagesSize(desired, medium)).toEqual(expected);
    const needs = volumeNeeds(aPod({ ...spec, volumes: [{ name: 'v', emptyDir: { medium } }] }), nodeSettings);
    expect(needs).toMatchObject([expected.ok ? { kind: 'hugePages', ...expected.value } : { kind: 'impossible', message: expected.fault }]);
  });
});
