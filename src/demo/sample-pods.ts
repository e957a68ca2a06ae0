// The two sample pods: one goes in as a manifest file, one over MQTT through the cloud side. Watched as the cloud sees them.
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import type { Pod } from '../ports/pod-types.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import type { PartFault } from './part-fault.ts';

/** The cloud side as far as the sample pods need it. */
export interface PodCloud {
  /** Creates a pod; with names of the API server, faults as one line. */
  applyPod(pod: Pod): Promise<Result<void, string>>;
  /** Asks for an orderly deletion: the object goes when the node has ended its containers. */
  deletePod(pod: { readonly namespace: string; readonly name: string }): Promise<Result<void, string>>;
  /** All pods it holds, those of files among them as mirror pods. */
  pods(): readonly Pod[];
}

export interface SamplePods {
  /** Puts both in. */
  start(): Promise<Result<string, PartFault>>;
  /** Takes both out; they are gone some time later. */
  remove(): Promise<Result<void, PartFault>>;
  /** The pods that are not yet Running and Ready at the cloud, each with its state; empty when all are. */
  notReady(): readonly string[];
  /** The pods that the cloud still has. */
  notGone(): readonly string[];
}

interface Sample {
  readonly name: string;
  readonly example: string;
}

const namespace = 'default';
const fromFile: Sample = { name: 'web', example: 'web.yaml' };
const overMqtt: Sample = { name: 'clock', example: 'clock.yaml' };

export function samplePods(options: {
  readonly cloud: PodCloud;
  readonly nodeName: string;
  readonly examplesDirectory: string;
  readonly manifestDirectory: string;
}): SamplePods {
  const { cloud } = options;
  const manifest = path.join(options.manifestDirectory, fromFile.example);
  // A pod from a file has the node's name behind its own.
  const namesAtCloud = [`${fromFile.name}-${options.nodeName}`, overMqtt.name];
  const find = (name: string): Pod | undefined => cloud.pods().find((pod) => pod.metadata?.name === name && pod.metadata.namespace === namespace);
  return {
    start: async () => {
      const applied = await cloud.applyPod(await readExample(options.examplesDirectory, overMqtt));
      if (!applied.ok) return fail({ part: 'pods', message: `${overMqtt.name} over MQTT: ${applied.fault}`, tail: [] });
      await putManifest(path.join(options.examplesDirectory, fromFile.example), manifest);
      return ok(`${fromFile.name} as manifest file, ${overMqtt.name} over MQTT`);
    },
    remove: async () => {
      await rm(manifest, { force: true });
      const deleted = await cloud.deletePod({ namespace, name: overMqtt.name });
      return deleted.ok ? ok() : fail({ part: 'pods', message: `deletion of ${overMqtt.name} over MQTT: ${deleted.fault}`, tail: [] });
    },
    notReady: () => namesAtCloud.flatMap((name) => {
      const pod = find(name);
      const condition = pod?.status?.conditions?.find(({ type }) => type === 'Ready');
      if (pod?.status?.phase === 'Running' && condition?.status === 'True') return [];
      return [`${name} is ${pod === undefined ? 'not at the cloud' : describe(pod)}`];
    }),
    notGone: () => namesAtCloud.flatMap((name) => {
      const pod = find(name);
      return pod === undefined ? [] : [`${name} is ${describe(pod)}`];
    }),
  };
}

/** Written under another name first: the agent never sees half a file. */
async function putManifest(from: string, to: string): Promise<void> {
  const temporary = path.join(path.dirname(to), `.${path.basename(to)}.new`);
  await writeFile(temporary, await readFile(from));
  await rename(temporary, to);
}

async function readExample(directory: string, sample: Sample): Promise<Pod> {
  // Our own file, checked by a test; the agent validates it once more.
  const pod = parse(await readFile(path.join(directory, sample.example), 'utf8')) as Pod;
  return {
    ...pod,
    metadata: { ...pod.metadata, namespace },
    // The example has a spec; the scheduler binds it to the demo's node as soon as that is ready.
    spec: { containers: [], ...pod.spec },
  };
}

/** Phase, and the reason why a container waits where there is one. */
function describe(pod: Pod): string {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const waiting = statuses.find((status) => status.state?.waiting !== undefined)?.state?.waiting;
  const why = waiting === undefined ? '' : ` (${[waiting.reason, waiting.message].filter((part) => part !== undefined && part !== '').join(': ')})`;
  return `${pod.status?.phase ?? 'without status'}${pod.metadata?.deletionTimestamp === undefined ? '' : ', being deleted'}${why}`;
}
