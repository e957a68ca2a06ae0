// Looks from inside a container: runs a script in a pod of the real node until it ends, and gives what it printed.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Container, Pod, PodSpec } from '../../src/ports/pod-types.ts';
import { busyboxImage } from './containerd.ts';
import { eventually, type RealNode, shellPod } from './real-node.ts';

/** @returns the lines printed, trimmed; the pod is deleted */
export async function inside(node: RealNode, name: string, script: string, part: { readonly spec?: Partial<PodSpec>; readonly container?: Partial<Container> } = {}): Promise<readonly string[]> {
  const container = { name: 'app', image: busyboxImage, command: ['sh', '-c', script], ...part.container };
  const applied = node.cloud.applyPod(shellPod(name, '', { restartPolicy: 'Never', containers: [container], ...part.spec }));
  if (!applied.ok) throw new Error(applied.fault.message);
  const pod = await eventually(`${name} ends`, () => /^(?:Succeeded|Failed)$/.test(node.pod(name)?.status?.phase ?? '') && node.pod(name));
  if (pod.status?.reason !== undefined) throw new Error(`${pod.status.reason}: ${pod.status.message ?? ''}`);
  const log = await readFile(logFile(node, pod), 'utf8');
  node.cloud.deletePod('default', name);
  return log.trimEnd().split('\n').map((line) => line.split(' ').slice(3).join(' ').trim());
}

function logFile(node: RealNode, { metadata }: Pod): string {
  return path.join(node.fixture.directory, 'logs', `default_${metadata?.name ?? ''}_${metadata?.uid ?? ''}`, 'app', '0.log');
}
