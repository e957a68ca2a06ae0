// Nodes name the endpoint at which their kubelet is served: here, where this bridge serves them. Another bridge may have served them before,
// or this one under another address.
import { isJsonObject } from '../bus/dialects/json-value.ts';
import type { ApiCalls, ObjectsView } from './cloud-store.ts';
import { type FairLanes, urgency } from './fair-lanes.ts';
import { type KubeletEndpoint, namesEndpoint, withKubeletEndpoint } from './kubelet-api/kubelet-endpoint.ts';
import type { Share } from './members.ts';
import type { StoredObject } from './memory-store.ts';

/** @returns how to end it */
export function keepEndpointsNamed({ view, calls, lanes, share, endpoint }: {
  readonly view: ObjectsView;
  readonly calls: ApiCalls;
  readonly lanes: FairLanes;
  readonly share: Share;
  readonly endpoint: KubeletEndpoint;
}): () => void {
  const look = ({ metadata: { name }, status }: StoredObject): void => {
    // A node that has said no status yet says it with its registration.
    if (!isJsonObject(status) || status.addresses === undefined || namesEndpoint(status, endpoint) || !share.mine(name)) return;
    const { addresses, daemonEndpoints } = withKubeletEndpoint(status, endpoint);
    const list: readonly unknown[] = Array.isArray(addresses) ? addresses : [];
    const patch = { status: { addresses: [...list, { $patch: 'replace' }], daemonEndpoints } };
    void lanes.run({ nodeName: name, urgency: urgency.write, replaces: 'endpoint' }, () => calls.patch({ kind: 'Node', namespace: '', name }, patch, { by: name, subResource: 'status' }));
  };
  share.onChange(() => view.list('Node').forEach(look));
  return view.onChange(({ type, kind, object }) => {
    if (kind === 'Node' && type !== 'deleted') look(object);
  });
}
