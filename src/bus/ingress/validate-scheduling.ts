// Where a pod may run: selectors, affinity, tolerations, spread. Checks only; the node's own predicates are decided elsewhere.
import type { PodSpec } from '../../ports/pod-types.ts';
import { notLabelValue, notQualifiedName } from './field-formats.ts';
import type { Affinity, Element, Toleration } from './pod-parts.ts';
import { element, entry, field, type Path, type Problems } from './problems.ts';

type NodeAffinity = NonNullable<Affinity['nodeAffinity']>;
type NodeSelector = NonNullable<NodeAffinity['requiredDuringSchedulingIgnoredDuringExecution']>;
type NodeSelectorTerm = Element<NodeSelector['nodeSelectorTerms']>;
type Requirement = Element<NodeSelectorTerm['matchExpressions']>;
type PodAffinity = NonNullable<Affinity['podAffinity']>;
type PodAffinityTerm = Element<PodAffinity['requiredDuringSchedulingIgnoredDuringExecution']>;

const nodeOperators = ['DoesNotExist', 'Exists', 'Gt', 'In', 'Lt', 'NotIn'] as const;
const tolerationOperators = ['Equal', 'Exists'] as const;
const effects = ['NoExecute', 'NoSchedule', 'PreferNoSchedule'] as const;

export function validateScheduling(spec: PodSpec, path: Path, problems: Problems): void {
  validateLabels(spec.nodeSelector ?? {}, field(path, 'nodeSelector'), problems);
  for (const [index, toleration] of (spec.tolerations ?? []).entries()) {
    validateToleration(toleration, element(field(path, 'tolerations'), index), problems);
  }
  if (spec.affinity !== undefined) validateAffinity(spec.affinity, field(path, 'affinity'), problems);
  for (const [index, constraint] of (spec.topologySpreadConstraints ?? []).entries()) {
    const at = element(field(path, 'topologySpreadConstraints'), index);
    if (!(constraint.maxSkew > 0)) problems.invalid(field(at, 'maxSkew'), constraint.maxSkew, 'must be greater than zero');
    if (!constraint.topologyKey) problems.required(field(at, 'topologyKey'), 'can not be empty');
    const when = constraint.whenUnsatisfiable;
    if (when !== 'DoNotSchedule' && when !== 'ScheduleAnyway') {
      problems.unsupported(field(at, 'whenUnsatisfiable'), when ?? '', ['DoNotSchedule', 'ScheduleAnyway']);
    }
  }
}

/** Labels and node selectors. */
export function validateLabels(labels: Readonly<Record<string, string>>, path: Path, problems: Problems): void {
  for (const [key, value] of Object.entries(labels)) {
    const wrongKey = notQualifiedName(key);
    const wrongValue = notLabelValue(value);
    if (wrongKey !== undefined) problems.invalid(entry(path, key), key, wrongKey);
    else if (wrongValue !== undefined) problems.invalid(entry(path, key), value, wrongValue);
  }
}

function validateToleration(toleration: Toleration, path: Path, problems: Problems): void {
  const { key = '', operator = 'Equal', value = '', effect = '' } = toleration;
  const wrongKey = key === '' ? undefined : notQualifiedName(key);
  if (wrongKey !== undefined) problems.invalid(field(path, 'key'), key, wrongKey);
  if (key === '' && operator !== 'Exists') problems.invalid(field(path, 'operator'), operator, 'must be Exists when `key` is empty');
  if (!tolerationOperators.some((known) => known === operator)) problems.unsupported(field(path, 'operator'), operator, tolerationOperators);
  else if (operator === 'Exists' && value !== '') problems.invalid(field(path, 'value'), value, 'must be empty when `operator` is Exists');
  const wrongValue = notLabelValue(value);
  if (operator === 'Equal' && wrongValue !== undefined) problems.invalid(field(path, 'value'), value, wrongValue);
  if (effect !== '' && !effects.some((known) => known === effect)) problems.unsupported(field(path, 'effect'), effect, effects);
  if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute') {
    problems.invalid(field(path, 'effect'), effect, 'must be NoExecute when `tolerationSeconds` is set');
  }
}

function validateAffinity(affinity: Affinity, path: Path, problems: Problems): void {
  const node = field(path, 'nodeAffinity');
  const required = affinity.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required !== undefined) {
    const terms = field(field(node, 'requiredDuringSchedulingIgnoredDuringExecution'), 'nodeSelectorTerms');
    if ((required.nodeSelectorTerms ?? []).length === 0) problems.required(terms, 'must have at least one node selector term');
    for (const [index, term] of (required.nodeSelectorTerms ?? []).entries()) validateTerm(term, element(terms, index), problems);
  }
  for (const [index, preferred] of (affinity.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    const at = element(field(node, 'preferredDuringSchedulingIgnoredDuringExecution'), index);
    validateWeight(preferred.weight, at, problems);
    validateTerm(preferred.preference ?? {}, field(at, 'preference'), problems);
  }
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    const terms = affinity[kind];
    if (terms !== undefined) validatePodAffinity(terms, field(path, kind), problems);
  }
}

function validatePodAffinity(affinity: PodAffinity, path: Path, problems: Problems): void {
  for (const [index, term] of (affinity.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    requireTopology(term, element(field(path, 'requiredDuringSchedulingIgnoredDuringExecution'), index), problems);
  }
  for (const [index, weighted] of (affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    const at = element(field(path, 'preferredDuringSchedulingIgnoredDuringExecution'), index);
    validateWeight(weighted.weight, at, problems);
    requireTopology(weighted.podAffinityTerm, field(at, 'podAffinityTerm'), problems);
  }
}

/** @param term undefined where the field is missing, although the API's type requires it */
function requireTopology(term: PodAffinityTerm | undefined, path: Path, problems: Problems): void {
  if (!term?.topologyKey) problems.required(field(path, 'topologyKey'), 'can not be empty');
}

function validateWeight(weight: number | undefined, path: Path, problems: Problems): void {
  if (weight === undefined || weight < 1 || weight > 100) problems.invalid(field(path, 'weight'), weight, 'must be in the range 1-100');
}

function validateTerm(term: NodeSelectorTerm, path: Path, problems: Problems): void {
  for (const list of ['matchExpressions', 'matchFields'] as const) {
    for (const [index, requirement] of (term[list] ?? []).entries()) {
      validateRequirement(requirement, element(field(path, list), index), problems);
    }
  }
}

function validateRequirement(requirement: Requirement, path: Path, problems: Problems): void {
  const { key = '', operator = '', values = [] } = requirement;
  const wrongKey = notQualifiedName(key);
  if (key === '') problems.required(field(path, 'key'));
  else if (wrongKey !== undefined) problems.invalid(field(path, 'key'), key, wrongKey);
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) problems.required(field(path, 'values'), 'must be specified when `operator` is \'In\' or \'NotIn\'');
      return;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) problems.forbidden(field(path, 'values'), 'may not be specified when `operator` is \'Exists\' or \'DoesNotExist\'');
      return;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) problems.required(field(path, 'values'), 'must be specified single value when `operator` is \'Lt\' or \'Gt\'');
      else if (!/^-?\d+$/.test(values[0] ?? '')) problems.invalid(element(field(path, 'values'), 0), values[0], 'must be a whole number');
      return;
    default:
      problems.unsupported(field(path, 'operator'), operator, nodeOperators);
  }
}
