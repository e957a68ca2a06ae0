// The rights of a bridge: the manifest for a cluster and the rules of the embedded API say the same.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { bridgeRules } from '../../src/api-server/access/authorizer.ts';

interface Manifest {
  readonly kind: string;
  readonly rules?: readonly { readonly apiGroups: readonly string[]; readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
}

it('given the manifest of a bridge’s rights, when it is compared, then it grants what the embedded API grants', () => {
  const text = readFileSync(path.resolve(import.meta.dirname, '../../deploy/bridge/rbac.yaml'), 'utf8');
  const manifests = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
  const words = (groups: readonly string[], resources: readonly string[], verbs: readonly string[]) => groups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`)));
  const granted = manifests.flatMap(({ rules = [] }) => rules.flatMap(({ apiGroups, resources, verbs }) => words(apiGroups, resources, verbs)));
  const known = bridgeRules.flatMap(({ groups, resources, verbs }) => words(groups, resources, verbs));
  expect([...new Set(granted)].sort()).toEqual(known.sort());
});
