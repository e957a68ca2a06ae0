// How the lists of the API are merged: the field that tells entries apart, for strategic merge and for server-side apply. A table.

/** Strategic merge: entry by entry, by this field; every other list is replaced. By the name of the list. */
export const mergeKeys: Readonly<Record<string, string>> = {
  addresses: 'type', conditions: 'type', containers: 'name', env: 'name', ephemeralContainers: 'name', hostAliases: 'ip', hostIPs: 'ip',
  imagePullSecrets: 'name', initContainers: 'name', ownerReferences: 'uid', podIPs: 'ip', ports: 'containerPort', resourceClaims: 'name',
  schedulingGates: 'name', secrets: 'name', topologySpreadConstraints: 'topologyKey', volumeDevices: 'devicePath', volumeMounts: 'mountPath',
  volumes: 'name',
};

/** Lists of plain values that merge as sets. */
export const setLists: ReadonlySet<string> = new Set(['finalizers', 'podCIDRs']);

/** Entries of these keep only the fields that a patch names: one source of a volume takes the place of another. */
export const retainingLists: ReadonlySet<string> = new Set(['volumes', 'resourceClaims']);

/** Server-side apply: where more than the field above tells entries apart, and lists that only it merges. */
const applyKeysOfTheirOwn: Readonly<Record<string, readonly string[]>> = {
  claims: ['name'], ports: ['containerPort', 'protocol'], topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
};

/** Absent in an entry, these are what the API's defaults make them. */
export const keyDefaults: Readonly<Record<string, string>> = { protocol: 'TCP' };

export function applyKeysOf(list: string): readonly string[] | undefined {
  const key = mergeKeys[list];
  return applyKeysOfTheirOwn[list] ?? (key === undefined || list === 'secrets' ? undefined : [key]);
}
