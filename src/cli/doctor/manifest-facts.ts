// What the manifests of a node would be to it: judged as `mqlet apply --dry-run` judges them.
import { NodeFiles } from '../../adapters/node-files.ts';
import { manifestBytesMax } from '../../bus/ingress/decode-pod.ts';
import { isManifestName } from '../../bus/ingress/manifest-names.ts';
import { judgeManifest, nodeHere } from '../../daemon/judge-manifest.ts';
import type { ManifestFacts } from '../../ports/doctor-facts.ts';
import { type InputFault, inputFaultLine } from '../../ports/faults.ts';

/** As many as the node looks at. */
const filesMax = 1_000;

/** @param place a directory, or one file */
export async function readManifestFacts(place: string, options: { readonly nodeName: string; readonly rootDirectory: string }): Promise<ManifestFacts> {
  const files = new NodeFiles();
  const listed = await files.list(place);
  const one = listed.ok ? undefined : await files.read(place, { bytesMax: manifestBytesMax });
  if (!listed.ok && one?.ok !== true) return { path: place, exists: false, pods: 0, errors: [], warnings: [] };
  const paths = listed.ok ? listed.value.filter(({ kind, name }) => kind === 'file' && isManifestName(name)).map(({ name }) => `${place}/${name}`) : [place];
  const node = await nodeHere(options);
  const faults: InputFault[] = [];
  let pods = 0;
  for (const file of paths.slice(0, filesMax)) {
    const read = await files.read(file, { bytesMax: manifestBytesMax });
    if (!read.ok) {
      faults.push({ origin: file, message: `cannot be read: ${read.fault.message}`, severity: 'error' });
      continue;
    }
    const judged = judgeManifest(read.value, file, node, { explain: false });
    pods += judged.pods.length;
    faults.push(...judged.faults);
  }
  const lines = (severity: InputFault['severity']): readonly string[] => faults.filter((fault) => fault.severity === severity).map(inputFaultLine);
  return { path: place, exists: true, pods, errors: lines('error'), warnings: lines('warning') };
}
