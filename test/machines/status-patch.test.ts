import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonEqual } from '../../src/machines/decide/json-equal.ts';
import { podStatusPatch } from '../../src/machines/decide/status-patch.ts';
import type { PodStatus } from '../../src/ports/pod-types.ts';
import { uid } from '../support/pods.ts';

const ready = { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' };
const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' };
const unready = { ...ready, status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [app]' };
const app = { name: 'app', ready: true, restartCount: 0, image: 'app:1', imageID: '' };

describe('podStatusPatch', () => {
  it('given containers merged by name, when one runs that waited, then what is gone from inside its state is null', () => {
    const of = (state: object, lastState: object): PodStatus => ({ containerStatuses: [{ ...app, state, lastState }] });
    const base = of({ waiting: { reason: 'CrashLoopBackOff' } }, { terminated: { exitCode: 1 } });
    const next = of({ running: { startedAt: '2026-01-01T00:00:00Z' } }, {});
    expect(podStatusPatch(base, next, uid, { containers: 'by-name' })?.status).toEqual({
      containerStatuses: [{ name: 'app', state: { waiting: null, running: { startedAt: '2026-01-01T00:00:00Z' } }, lastState: { terminated: null } }],
    });
  });

  it('given patches that name their base and nothing known of it, then what may have passed meanwhile is taken away', () => {
    const resizing = { type: 'PodResizeInProgress', status: 'True' };
    const conditionsOf = (conditions: NonNullable<PodStatus['conditions']>): unknown => podStatusPatch(undefined, { phase: 'Running', conditions }, uid, { containers: 'by-name' })?.status['conditions'];
    expect(conditionsOf([ready])).toEqual([ready, { $patch: 'delete', type: 'PodResizePending' }, { $patch: 'delete', type: 'PodResizeInProgress' }]);
    expect(conditionsOf([ready, resizing])).toEqual([ready, resizing, { $patch: 'delete', type: 'PodResizePending' }]);
  });

  const rows: [name: string, base: PodStatus | undefined, next: PodStatus, status: object | undefined][] = [
    ['given nothing known, then everything', undefined, { phase: 'Running', conditions: [ready] }, { phase: 'Running', conditions: [ready] }],
    ['given the same, then nothing', { phase: 'Running', conditions: [ready] }, { conditions: [{ ...ready }], phase: 'Running' }, undefined],
    ['given null in the base where there is nothing now, then nothing', { phase: 'Running', reason: null } as never, { phase: 'Running' }, undefined],
    ['given another phase, then the phase', { phase: 'Pending', qosClass: 'BestEffort' }, { phase: 'Running', qosClass: 'BestEffort' }, { phase: 'Running' }],
    ['given a reason that is gone, then null', { phase: 'Failed', reason: 'Evicted' }, { phase: 'Failed' }, { reason: null }],
    ['given a field of others, then it is left alone', { phase: 'Running', nominatedNodeName: 'other', resize: 'Proposed' }, { phase: 'Running' }, undefined],
    ['given a changed condition, then its differing fields', { conditions: [unready, scheduled] }, { conditions: [ready, scheduled] }, {
      conditions: [{ type: 'Ready', status: 'True', reason: null, message: null }],
    }],
    ['given a foreign condition in the base, then it stays', { conditions: [{ type: 'example.com/gate', status: 'True' }, ready] }, { conditions: [ready] }, undefined],
    ['given a foreign condition in both, then others are left their say', { conditions: [unready] }, { conditions: [{ type: 'example.com/gate', status: 'False' }, ready] }, {
      conditions: [{ type: 'Ready', status: 'True', reason: null, message: null }],
    }],
    ['given a new condition in front, then the order is told', { conditions: [scheduled] }, { conditions: [ready, scheduled] }, {
      '$setElementOrder/conditions': [{ type: 'Ready' }, { type: 'PodScheduled' }], conditions: [ready],
    }],
    ['given another address, then the old one is deleted', { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] }, { podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.2' }] }, {
      podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.2' }, { $patch: 'delete', ip: '10.0.0.1' }],
    }],
    ['given another primary address, then the order is told', { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] }, { podIPs: [{ ip: '10.0.0.2' }, { ip: 'fd00::1' }] }, {
      '$setElementOrder/podIPs': [{ ip: '10.0.0.2' }, { ip: 'fd00::1' }], podIPs: [{ ip: '10.0.0.2' }, { $patch: 'delete', ip: '10.0.0.1' }],
    }],
    ['given no addresses any more, then null', { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] }, {}, { podIP: null, podIPs: null }],
    ['given a container that changed, then the whole list', { containerStatuses: [app, { ...app, name: 'web' }] }, { containerStatuses: [app, { ...app, name: 'web', restartCount: 1 }] }, {
      containerStatuses: [app, { ...app, name: 'web', restartCount: 1 }],
    }],
    ['given a resize that is over, then its condition goes', { conditions: [ready, { type: 'PodResizePending', status: 'True' }] }, { conditions: [ready] }, {
      conditions: [{ $patch: 'delete', type: 'PodResizePending' }],
    }],
  ];
  it.each(rows)('%s', (_name, base, next, status) => {
    expect(podStatusPatch(base, next, uid)).toEqual(status === undefined ? undefined : { metadata: { uid }, status });
  });

  it('given any two statuses, when the patch is applied to the base, then the next one is there', () => {
    const text = fc.constantFrom('a', 'b', 'c');
    const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const conditions = fc.uniqueArray(
      fc.record({ type: fc.constantFrom('Initialized', 'Ready', 'ContainersReady'), status: text, reason: some(text) }),
      { selector: ({ type }) => type },
    );
    const ips = fc.uniqueArray(fc.record({ ip: fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd00::1') }), { selector: ({ ip }) => ip, minLength: 1 });
    const status: fc.Arbitrary<PodStatus> = fc.record({
      phase: text, reason: some(text), podIPs: some(ips), conditions, containerStatuses: fc.array(fc.record({ ...fixed(app), restartCount: fc.nat(2) })),
    }) as fc.Arbitrary<PodStatus>; // Undefined fields are absent ones here.
    fc.assert(fc.property(status, status, (base, next) => {
      // Conditions are never taken away, so the base may only have such as the next one has.
      const types = new Set(next.conditions?.map(({ type }) => type));
      const before = { ...base, conditions: base.conditions?.filter(({ type }) => types.has(type)) ?? [] };
      const patch = podStatusPatch(before, next, uid);
      const after = patch === undefined ? before : applied(before, patch.status);
      expect(jsonEqual(after, next)).toBe(true);
      expect(podStatusPatch(next, next, uid)).toBeUndefined();
    }));
  });
});

function fixed<T extends object>(record: T) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, fc.constant(value)]));
}

type Element = Record<string, unknown>;
const mergeKeys: Record<string, string> = { conditions: 'type', podIPs: 'ip' };

/** Strategic merge as the API does it, for the fields of a pod status. */
function applied(base: object, patch: Readonly<Record<string, unknown>>): object {
  const result: Element = { ...base };
  for (const [field, value] of Object.entries(patch)) {
    const key = mergeKeys[field];
    if (field.startsWith('$')) continue;
    result[field] = key === undefined || value === null ? value : merged((result[field] ?? []) as Element[], value as Element[], key);
  }
  for (const [directive, order] of Object.entries(patch)) {
    const field = directive.replace('$setElementOrder/', '');
    if (field === directive) continue;
    const key = mergeKeys[field] ?? '';
    const names = (order as Element[]).map((element) => element[key]);
    result[field] = (result[field] as Element[]).toSorted((a, b) => names.indexOf(a[key]) - names.indexOf(b[key]));
  }
  return result;
}

function merged(base: readonly Element[], patch: readonly Element[], key: string): Element[] {
  let list = [...base];
  for (const { $patch, ...element } of patch) {
    const index = list.findIndex((each) => each[key] === element[key]);
    if ($patch === 'delete') list = list.filter((each) => each[key] !== element[key]);
    else if (index < 0) list.push(element);
    else list[index] = { ...list[index], ...element };
  }
  return list;
}
