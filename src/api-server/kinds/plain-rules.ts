// The kinds without a life of their own: secrets, config maps, events, namespaces, service accounts, leases.
import { decodeObject } from '../../bus/ingress/decode-object.ts';
import { notSubdomain } from '../../bus/ingress/field-formats.ts';
import { field, type Path } from '../../bus/ingress/problems.ts';
import { sameJson } from '../../bus/ingress/canonical-json.ts';
import type { StoredObjectKind } from '../../ports/stored-object.ts';
import { type ApiObject, numberAt, part, textAt } from '../objects.ts';
import { keepOtherPart, type KindRules, withField } from './kind-rules.ts';

const asGiven = (object: ApiObject): ApiObject => object;

const plain: KindRules = { created: asGiven, updated: asGiven, validate: () => undefined };

const namespaceFinalizer = 'kubernetes';

export const namespaceRules: KindRules = {
  created: (object) => ({
    ...object,
    metadata: { ...object.metadata, labels: { ...part(object.metadata, 'labels'), 'kubernetes.io/metadata.name': object.metadata.name } },
    spec: { finalizers: [namespaceFinalizer] }, status: { phase: 'Active' },
  }),
  updated(object, current, which) {
    if (which === 'finalize') return withField(object, 'status', current['status']);
    const kept = keepOtherPart(object, current, which);
    const labels = { ...part(object.metadata, 'labels'), 'kubernetes.io/metadata.name': current.metadata.name };
    return { ...kept, metadata: { ...object.metadata, labels }, spec: current['spec'] };
  },
  validate: () => undefined,
};

function dataRules(kind: StoredObjectKind): KindRules {
  return {
    created: kind === 'Secret' ? (object) => mergeText({ ...object, type: textAt(object, 'type') || 'Opaque' }) : asGiven,
    updated: kind === 'Secret' ? (object, current) => mergeText({ ...object, type: textAt(object, 'type') || textAt(current, 'type') }) : asGiven,
    validate(object, { current, problems }) {
      const decoded = decodeObject(kind, object);
      if (!decoded.ok) problems.error(pathOf(decoded.fault.field), `Invalid value: ${decoded.fault.message}`);
      if (current === undefined) return;
      const path = field(undefined, 'data');
      if (kind === 'Secret' && textAt(current, 'type') !== textAt(object, 'type')) problems.invalid(field(undefined, 'type'), object['type'], 'field is immutable');
      if (current['immutable'] !== true) return;
      if (object['immutable'] !== true) problems.forbidden(field(undefined, 'immutable'), 'field is immutable when `immutable` is set');
      if (!sameJson(current['data'], object['data']) || !sameJson(current['binaryData'], object['binaryData'])) problems.forbidden(path, 'field is immutable when `immutable` is set');
    },
  };
}

/** `stringData` is a way to write, never to read. */
function mergeText(object: ApiObject): ApiObject {
  const { stringData: _text, ...secret } = object;
  const text = Object.entries(part(object, 'stringData')).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')]);
  const kept = { ...secret, apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata };
  return text.length === 0 ? kept : { ...kept, data: { ...part(object, 'data'), ...Object.fromEntries(text) } };
}

function pathOf(text: string): Path | undefined {
  let path: Path | undefined;
  for (const segment of text.split('.').slice(0, 1)) path = field(path, segment);
  const rest = text.split('.').slice(1).join('.');
  return rest === '' ? path : { parent: path, segment: rest, key: true };
}

const eventRules: KindRules = {
  created: asGiven,
  updated: asGiven,
  validate(object, { problems }) {
    const about = textAt(part(object, 'involvedObject'), 'namespace');
    const path = field(field(undefined, 'involvedObject'), 'namespace');
    // Objects of the cluster have their events in `default`.
    if (about !== '' && about !== object.metadata.namespace) problems.invalid(path, about, 'does not match event.namespace');
    if (about === '' && object.metadata.namespace !== 'default' && object.metadata.namespace !== 'kube-system') problems.invalid(path, about, 'does not match event.namespace');
  },
};

const leaseRules: KindRules = {
  created: (object) => ({ ...object, spec: part(object, 'spec') }),
  updated: asGiven,
  validate(object, { problems }) {
    const seconds = numberAt(part(object, 'spec'), 'leaseDurationSeconds');
    if (seconds !== undefined && seconds <= 0) problems.invalid(field(field(undefined, 'spec'), 'leaseDurationSeconds'), seconds, 'must be greater than 0');
  },
};

const accountRules: KindRules = {
  ...plain,
  validate(object, { problems }) {
    for (const list of ['secrets', 'imagePullSecrets'] as const) {
      for (const one of Array.isArray(object[list]) ? (object[list] as readonly { readonly name?: unknown }[]) : []) { // objects by the schema
        const detail = typeof one.name === 'string' && one.name !== '' ? notSubdomain(one.name) : undefined;
        if (detail !== undefined) problems.invalid(field(undefined, list), one.name, detail);
      }
    }
  },
};

export const plainRules: Readonly<Record<string, KindRules>> = {
  Secret: dataRules('Secret'), ConfigMap: dataRules('ConfigMap'), Event: eventRules, Namespace: namespaceRules, ServiceAccount: accountRules, Lease: leaseRules,
};
