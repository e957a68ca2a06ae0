// In which shape objects are answered: as they are, as a Table, or their metadata alone. Pure.
import type { JsonObject } from '../../bus/dialects/json-value.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { ApiObject } from '../objects.ts';
import { notAcceptable, type Refusal } from '../refusals.ts';
import { columnsOf } from './columns.ts';

export type Shaped =
  | { readonly as: 'object' }
  | { readonly as: 'Table'; readonly version: string; readonly include: string }
  | { readonly as: 'PartialObjectMetadata' | 'PartialObjectMetadataList'; readonly version: string };

const metaVersions = ['v1', 'v1beta1'];
const acceptedTypes = ['application/json', '*/*', 'application/*'];

/** The first of the accepted shapes that this server has. */
export function shapeFor(accept: string | undefined, query: ReadonlyMap<string, string>): Result<Shaped, Refusal> {
  for (const range of (accept === undefined || accept === '' ? '*/*' : accept).split(',')) {
    const [type = '', ...parameters] = range.split(';').map((text) => text.trim());
    if (!acceptedTypes.includes(type)) continue;
    const values = new Map(parameters.map((parameter) => [parameter.slice(0, parameter.indexOf('=')), parameter.slice(parameter.indexOf('=') + 1)]));
    const as = values.get('as');
    if (as === undefined) return ok({ as: 'object' });
    const version = values.get('v') ?? '';
    if (values.get('g') !== 'meta.k8s.io' || !metaVersions.includes(version)) continue;
    if (as === 'Table') return ok({ as, version, include: query.get('includeObject') ?? 'Metadata' });
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return ok({ as, version });
  }
  return fail(notAcceptable(['application/json', 'application/json;as=Table;g=meta.k8s.io;v=v1']));
}

/** A single object, or one of a watch. */
export function shaped(object: ApiObject, shape: Shaped, options: { readonly nowMs: number; readonly first: boolean }): JsonObject {
  if (shape.as === 'object') return object;
  if (shape.as !== 'Table') return metadataOnly(object, shape.version);
  const { resourceVersion } = object.metadata;
  return table([object], { ...shape, kind: object.kind, nowMs: options.nowMs, head: options.first, metadata: { resourceVersion } });
}

interface ListOptions {
  readonly shape: Shaped;
  readonly nowMs: number;
  /** Of the list. */
  readonly metadata: JsonObject;
  readonly whole: () => JsonObject;
}

export function shapedList(kind: string, items: readonly ApiObject[], { shape, nowMs, metadata, whole }: ListOptions): JsonObject {
  if (shape.as === 'object') return whole();
  if (shape.as === 'Table') return table(items, { ...shape, kind, nowMs, head: true, metadata });
  return { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${shape.version}`, metadata, items: items.map((item) => metadataOnly(item, shape.version)) };
}

interface TableOptions {
  readonly kind: string;
  readonly version: string;
  readonly include: string;
  readonly nowMs: number;
  /** With the definitions of the columns: readers of a watch know them from its first event. */
  readonly head: boolean;
  readonly metadata: JsonObject;
}

function table(objects: readonly ApiObject[], { kind, version, include, nowMs, head, metadata }: TableOptions): JsonObject {
  const columns = columnsOf(kind);
  const definitions = columns.map(({ name, description, type = 'string', format = '', priority = 0 }) => ({ name, type, format, description, priority }));
  const rows = objects.map((object) => ({
    cells: columns.map((column) => column.cell(object, nowMs)),
    ...(include === 'None' ? {} : { object: include === 'Object' ? object : metadataOnly(object, version) }),
  }));
  return { kind: 'Table', apiVersion: `meta.k8s.io/${version}`, metadata, columnDefinitions: head ? definitions : null, rows };
}

function metadataOnly({ metadata }: ApiObject, version: string): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata };
}
