// What containerd's answers become: times, phases, foreign rows, events.
import { describe, expect, it } from 'vitest';
import {
  fromContainerEvent, fromTaskEvent, toListedContainers, toMs, toObservedSandbox, toWireContainerConfig,
} from '../../../src/adapters/cri/cri-translate.ts';
import type { WireContainer, WireContainerEvent } from '../../../src/adapters/cri/cri-wire.ts';
import { containerConfigOf } from '../../support/runtime-configs.ts';

describe('toMs', () => {
  it.each([
    ['1700000000123456789', 1_700_000_000_123], ['0', 0], ['999999', 0], ['1000000', 1], ['-62135596800000000000', 0], ['', 0],
  ])('given %j nanoseconds, when converted, then they are %i whole milliseconds', (nanoseconds, expected) => {
    expect(toMs(nanoseconds)).toBe(expected);
  });
});

describe('toListedContainers', () => {
  const row = (id: string, change: Partial<WireContainer> = {}): WireContainer => ({
    id, podSandboxId: 's', metadata: { name: 'app', attempt: 0 }, state: 'CONTAINER_RUNNING', createdAt: '1000000',
    labels: { 'io.kubernetes.pod.uid': 'u' }, image: null, imageRef: 'sha256:r', imageId: '', ...change,
  });

  it('given rows of others, when listed, then only ours remain, newest first and then by attempt', () => {
    const listed = toListedContainers([
      row('old'), row('foreign', { labels: {} }), row('new', { createdAt: '9000000' }),
      row('again', { createdAt: '9000000', metadata: { name: 'app', attempt: 1 } }),
    ]);
    expect(listed.map((each) => each.id)).toEqual(['again', 'new', 'old']);
  });

  it('given rows of others, when those are asked for, then only they come, and images are named by ID where the runtime tells it', () => {
    const listed = toListedContainers([row('ours'), row('foreign', { labels: {}, image: { image: 'app:1' }, imageId: 'sha256:i' })], 'unidentified');
    expect(listed).toMatchObject([{ id: 'foreign', podUid: '', image: 'app:1', imageRef: 'sha256:i' }]);
  });

  it('given a state that a newer runtime added, when listed, then it is unknown', () => {
    // A number is what the decoder gives for an enum value it has no name for.
    const strange = row('x', { state: 7 as unknown as WireContainer['state'], metadata: null });
    expect(toListedContainers([strange])[0]).toMatchObject({ state: 'unknown', name: '', attempt: 0 });
  });
});

describe('toObservedSandbox', () => {
  it('given two addresses, when looked at, then the primary comes first', () => {
    const observed = toObservedSandbox({
      id: 's', metadata: null, state: 'SANDBOX_NOTREADY', createdAt: '0', labels: { 'io.kubernetes.pod.uid': 'u' },
      network: { ip: '10.0.0.2', additionalIps: [{ ip: 'fd00::2' }] }, linux: { namespaces: { options: { network: 'NODE' } } },
    });
    expect(observed).toMatchObject({ state: 'notReady', ips: ['10.0.0.2', 'fd00::2'], hostNetwork: true, createdAtMs: 0 });
  });
});

describe('toWireContainerConfig', () => {
  it('given environment values, when encoded, then they are bytes of UTF-8 and nothing else changes', () => {
    const config = containerConfigOf({ uid: 'u' }, { image: 'i', command: ['c'] });
    expect(toWireContainerConfig(config)).toEqual({ ...config, envs: [{ key: 'GREETING', value: Buffer.from('grüß dich') }] });
  });
});

describe('events', () => {
  it.each([
    ['containerd.events.TaskStart', { containerId: 'c' }, { kind: 'started', id: 'c' }],
    ['containerd.events.TaskExit', { containerId: 'c', id: 'c' }, { kind: 'exited', id: 'c' }],
    ['containerd.events.TaskExit', { containerId: 'c', id: 'exec-1' }, undefined],
    ['containerd.events.TaskOOM', { containerId: 'c' }, { kind: 'oom', id: 'c' }],
    ['containerd.events.ContainerDelete', { id: 'c' }, { kind: 'removed', id: 'c' }],
    ['containerd.events.TaskPaused', { containerId: 'c' }, undefined],
  ])('given %s with %j, when read, then it means %j', (typeName, payload, expected) => {
    expect(fromTaskEvent(typeName, payload)).toEqual(expected);
  });

  it.each([
    ['CONTAINER_CREATED_EVENT', undefined], ['CONTAINER_STARTED_EVENT', 'started'], ['CONTAINER_STOPPED_EVENT', 'exited'],
    ['CONTAINER_DELETED_EVENT', 'removed'], ['CONTAINER_RESIZED_EVENT', undefined],
  ])('given CRI event %s, when read, then it means %j', (containerEventType, kind) => {
    // The last row is a kind of the future.
    const event = { containerId: 'c', containerEventType } as WireContainerEvent;
    expect(fromContainerEvent(event)).toEqual(kind === undefined ? undefined : { kind, id: 'c' });
  });
});
