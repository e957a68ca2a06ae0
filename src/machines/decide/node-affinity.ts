// Whether a node is one a pod may run on: its selector and its required node affinity. Preferences are the scheduler's.
import type { PodSpec } from '../../ports/pod-types.ts';

type Affinity = NonNullable<PodSpec['affinity']>;
type NodeSelector = NonNullable<NonNullable<Affinity['nodeAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']>;
type Term = NodeSelector['nodeSelectorTerms'][number];
type Requirement = NonNullable<Term['matchExpressions']>[number];

export interface LabelledNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** @see Kubernetes API reference, NodeSelector: terms are alternatives, the requirements of a term all count */
export function matchesNode({ nodeSelector = {}, affinity }: PodSpec, node: LabelledNode): boolean {
  if (Object.entries(nodeSelector).some(([key, value]) => node.labels[key] !== value)) return false;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

/** A term without any requirement matches nothing. */
function matchesTerm({ matchExpressions = [], matchFields = [] }: Term, { name, labels }: LabelledNode): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields: Readonly<Record<string, string>> = { 'metadata.name': name };
  return matchExpressions.every((requirement) => meets(requirement, labels)) && matchFields.every((requirement) => meets(requirement, fields));
}

function meets({ key, operator, values = [] }: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return compares(value, values[0], (a, b) => a > b);
    case 'Lt':
      return compares(value, values[0], (a, b) => a < b);
    default:
      // Validation has refused any other word.
      return false;
  }
}

/** Only whole numbers compare; anything else meets neither. */
function compares(value: string | undefined, bound: string | undefined, by: (a: number, b: number) => boolean): boolean {
  const whole = /^[+-]?\d+$/;
  return value !== undefined && bound !== undefined && whole.test(value) && whole.test(bound) && by(Number(value), Number(bound));
}
