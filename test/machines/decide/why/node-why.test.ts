import { describe, expect, test } from 'vitest';
import type { NodeWhyFacts } from '../../../../src/machines/decide/why/facts.ts';
import { nodeWhy } from '../../../../src/machines/decide/why/node-why.ts';
import type { Node } from '../../../../src/ports/pod-types.ts';
import { ago, linkUp, whyNowMs } from '../../../support/why-facts.ts';

function aNode(...conditions: readonly { readonly type: string; readonly status: string; readonly message?: string }[]): Node {
  return { metadata: { name: 'edge-07' }, status: { conditions: conditions.map((each) => ({ reason: 'R', message: '', lastHeartbeatTime: ago(1), lastTransitionTime: ago(90), ...each })) } };
}

const ready = aNode({ type: 'MemoryPressure', status: 'False' }, { type: 'Ready', status: 'True' });
const facts: NodeWhyFacts = {
  nowMs: whyNowMs, nodeName: 'edge-07', node: ready, registers: true, registered: true, goesDown: false, runtime: { ready: true, networkReady: true, message: '', sinceMs: 1 }, link: linkUp, pods: 3, unreported: { pods: 0, sinceMs: 0 },
};
const away = { ready: false, networkReady: false, message: 'container runtime is down: connect ENOENT /run/c.sock', sinceMs: whyNowMs - 4_000 };
const backingOff = { state: 'backingOff', reason: 'connect ECONNREFUSED 127.0.0.1:1883', sinceMs: whyNowMs - 7_260_000, nextAttemptAtMs: whyNowMs + 41_000, everUp: true } as const;

describe('why the node is as it is', () => {
  test.each<readonly [string, Partial<NodeWhyFacts>, string]>([
    ['all is well', {}, 'The node has been ready for 90 s and in touch with its cloud, with 3 pods.'],
    ['it runs alone', { link: undefined, registered: false, pods: 1 }, 'The node has been ready for 90 s, without a cloud, with one pod.'],
    ['it has just begun', { node: undefined, link: undefined }, 'The node has not computed its status yet.'],
    ['the broker is away', { link: backingOff }, 'The broker has been unreachable for 2 h 1 min (connect ECONNREFUSED 127.0.0.1:1883): its 3 pods go on; the next attempt to connect comes in 41 s (link up is false).'],
    ['the broker is away and news wait', { link: backingOff, unreported: { pods: 2, sinceMs: 1 } }, 'The broker has been unreachable for 2 h 1 min (connect ECONNREFUSED 127.0.0.1:1883): its 3 pods go on, and news of 2 of them wait; the next attempt to connect comes in 41 s (link up is false).'],
    ['the broker has never been there', { link: { ...backingOff, everUp: false }, pods: 0 }, 'The broker has not been reached for 2 h 1 min (connect ECONNREFUSED 127.0.0.1:1883); the next attempt to connect comes in 41 s (link up is false).'],
    ['it is tried again', { link: { ...backingOff, state: 'connecting' }, pods: 1 }, 'The broker has been unreachable for 2 h 1 min (connect ECONNREFUSED 127.0.0.1:1883): its pod goes on; an attempt to connect is under way (link up is false).'],
    ['it is tried for the first time', { link: { ...linkUp, state: 'connecting' } }, 'The broker is being connected to (link up is false).'],
    ['the runtime is away', { runtime: away }, 'The container runtime has not been ready for 4 s (connect ENOENT /run/c.sock); it is asked again every few seconds (RuntimeReady is false).'],
    ['runtime and broker are away', { runtime: away, link: backingOff }, 'The container runtime has not been ready for 4 s (connect ENOENT /run/c.sock), and the broker has been unreachable for 2 h 1 min (connect ECONNREFUSED 127.0.0.1:1883); it is asked again every few seconds (RuntimeReady is false).'],
    ['the network is not ready', { runtime: { ...away, ready: true, message: 'NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized' } }, 'The runtime\'s network has not been ready for 4 s: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized; it is asked again every few seconds (NetworkReady is false).'],
    ['it is not registered', { registered: false }, 'The broker is reached but the cloud has not registered the node for 60 s; it is asked again (registered is false).'],
    ['its dialect knows no nodes', { registered: false, registers: false }, 'The node has been ready for 90 s and in touch with its cloud, with 3 pods.'],
    ['it is not ready', { node: aNode({ type: 'Ready', status: 'False', message: 'PLEG is not healthy' }) }, 'The node has not been ready for 90 s: PLEG is not healthy (Ready is false).'],
    ['it is short of memory', { node: aNode({ type: 'MemoryPressure', status: 'True', message: 'kubelet has insufficient memory available' }, { type: 'Ready', status: 'True' }) }, 'The node has had MemoryPressure for 90 s: kubelet has insufficient memory available.'],
    ['the cloud refuses', { unreported: { pods: 1, sinceMs: whyNowMs - 15_000 } }, 'The node works, but the cloud has not accepted news of one pod for 15 s; they are written again within 10 s (status accepted is false).'],
    ['the machine goes down', { goesDown: true }, 'The machine goes down and pods are being ended in order; no pod is taken meanwhile (Ready is false).'],
  ])('given that %s, when asked, then the sentence is whole', (_name, part, sentence) => {
    expect(nodeWhy({ ...facts, ...part }).sentence).toBe(sentence);
  });

  test('given an unreachable broker, when asked, then the record says since when and when it is tried again', () => {
    expect(nodeWhy({ ...facts, link: backingOff })).toMatchObject({ waitingFor: 'the broker', sinceMs: whyNowMs - 7_260_000, falseGuardOrCondition: 'link up', next: { what: 'the next attempt to connect comes', atMs: whyNowMs + 41_000 } });
  });
});
