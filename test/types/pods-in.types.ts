// Wrong uses of the ingress of pods that must not compile. Checked by the compiler alone.
import { decodeManifest, decodePodObject } from '../../src/bus/ingress/decode-pod.ts';
import { MergeState } from '../../src/bus/ingress/merge-state.ts';
import { Problems } from '../../src/bus/ingress/problems.ts';
import type { SourceUpdate } from '../../src/bus/source-update.ts';
import type { DesiredPod, PodUid } from '../../src/ports/pod-types.ts';

declare const pod: DesiredPod;

export function wrongUses(): void {
  // @ts-expect-error a pod is decoded for a node: without its name an alien pod would pass
  decodePodObject({}, { origin: 'topic', source: 'mqtt' });
  // @ts-expect-error text has lost the bytes that may have been no UTF-8
  decodeManifest('kind: Pod', { origin: 'a.yaml', source: 'file', nodeName: 'n' });
  // @ts-expect-error there is no such source
  decodePodObject({}, { origin: 'url', source: 'http', nodeName: 'n' });
  // @ts-expect-error any text is not a UID: it has to come out of decoding
  const uid: PodUid = 'u-1';
  // @ts-expect-error an upsert says one pod, not many
  const upsert: SourceUpdate = { kind: 'upsert', source: 'mqtt', pods: [pod] };
  // @ts-expect-error a decoded pod is not changed where others hold it
  pod.name = 'other';
  // @ts-expect-error the time a pod was first seen is not left out
  new MergeState(['file']).take({ kind: 'set', source: 'file', pods: [] });
  // @ts-expect-error two numbers of one type go by name
  new Problems().tooMany({ parent: undefined, segment: 'a', key: false }, 5, 3);
  void [uid, upsert];
}
