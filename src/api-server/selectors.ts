// Label and field selectors as the API's query parameters have them: parsed once, then asked often. Pure.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import { notLabelValue, notQualifiedName } from '../bus/ingress/field-formats.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { labelsOf, valueAt } from './objects.ts';
import { badRequest, type Refusal } from './refusals.ts';
import type { Resource } from './resources.ts';

export type Matches = (object: JsonObject) => boolean;

/** Characters of one selector. Longer is refused. */
const selectorLengthMax = 16_384;

interface Requirement {
  readonly key: string;
  readonly operator: '=' | '!=' | 'in' | 'notin' | 'exists' | '!' | '>' | '<';
  readonly values: readonly string[];
}

/** `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2` */
export function labelSelector(text: string): Result<Matches, Refusal> {
  if (text.length > selectorLengthMax) return fail(badRequest('the label selector is too long'));
  const requirements: Requirement[] = [];
  for (const one of splitOutsideBrackets(text)) {
    const requirement = requirementIn(one.trim());
    if (requirement === undefined) return fail(badRequest(`unable to parse requirement: ${JSON.stringify(one.trim())} is no requirement of a label selector`));
    requirements.push(requirement);
  }
  return ok((object) => {
    const labels = labelsOf(object);
    return requirements.every((requirement) => meets(requirement, labels));
  });
}

function splitOutsideBrackets(text: string): readonly string[] {
  if (text.trim() === '') return [];
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    else if (text[at] === ')') depth -= 1;
    else if (text[at] === ',' && depth === 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)];
}

function requirementIn(text: string): Requirement | undefined {
  const inSet = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(text);
  if (inSet !== null) {
    const [, key = '', operator, list = ''] = inSet;
    return checked({ key, operator: operator === 'in' ? 'in' : 'notin', values: list.split(',').map((value) => value.trim()) });
  }
  const compared = /^([^\s=!<>]+)\s*(==|=|!=|>|<)\s*([^\s=!<>]*)$/.exec(text);
  if (compared !== null) {
    const [, key = '', sign, value = ''] = compared;
    if (sign === '>' || sign === '<') return /^-?\d+$/.test(value) ? checked({ key, operator: sign, values: [value] }) : undefined;
    return checked({ key, operator: sign === '!=' ? '!=' : '=', values: [value] });
  }
  return text.startsWith('!') ? checked({ key: text.slice(1).trim(), operator: '!', values: [] }) : checked({ key: text, operator: 'exists', values: [] });
}

function checked(requirement: Requirement): Requirement | undefined {
  if (notQualifiedName(requirement.key) !== undefined) return undefined;
  return requirement.values.every((value) => notLabelValue(value) === undefined || requirement.operator === '>' || requirement.operator === '<') ? requirement : undefined;
}

function meets({ key, operator, values }: Requirement, labels: Readonly<Record<string, unknown>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  const present = typeof value === 'string';
  switch (operator) {
    case 'exists': return present;
    case '!': return !present;
    case '=': case 'in': return present && values.includes(value);
    case '!=': case 'notin': return !present || !values.includes(value);
    case '>': return present && /^-?\d+$/.test(value) && Number(value) > Number(values[0]);
    case '<': return present && /^-?\d+$/.test(value) && Number(value) < Number(values[0]);
    default: return operator satisfies never;
  }
}

/** `spec.nodeName=a,status.phase!=Failed`; only fields that the resource offers. */
export function fieldSelector(text: string, resource: Resource): Result<Matches, Refusal> {
  if (text.length > selectorLengthMax) return fail(badRequest('the field selector is too long'));
  const terms: { readonly path: string; readonly equal: boolean; readonly value: string }[] = [];
  for (const one of text.split(',')) {
    if (one === '') continue;
    const [, path = '', sign = '', value = ''] = /^([^=!]+)(==|=|!=)(.*)$/.exec(one) ?? [];
    if (path === '') return fail(badRequest(`invalid selector: '${one}'; can't understand '${one}'`));
    const offered = path === 'metadata.name' || (path === 'metadata.namespace' && resource.namespaced) || resource.fieldSelectors.includes(path);
    if (!offered) return fail(badRequest(`field label not supported: ${path}`));
    terms.push({ path, equal: sign !== '!=', value: value.replaceAll(/\\([\\,=])/g, '$1') });
  }
  return ok((object) => terms.every(({ path, equal, value }) => (fieldText(object, path) === value) === equal));
}

/** Absent is the empty text; a switch that is absent is off. */
function fieldText(object: JsonObject, path: string): string {
  if (path === 'source') return sourceOf(object);
  const value = valueAt(object, path);
  if (path === 'spec.unschedulable' || path === 'spec.hostNetwork') return String(value === true);
  return typeof value === 'string' ? value : '';
}

function sourceOf(event: JsonObject): string {
  const component = valueAt(event, 'source.component') || valueAt(event, 'reportingComponent');
  return typeof component === 'string' ? component : '';
}
