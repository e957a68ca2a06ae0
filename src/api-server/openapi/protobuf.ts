// An OpenAPI 2 document in the protocol buffers of gnostic's openapi.v2, which older clients ask for. It knows the fields our documents
// have, and their numbers; nothing is read. Numbers: openapiv2/OpenAPIv2.proto of gnostic.
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';

const document = { swagger: 1, info: 2, paths: 8, definitions: 9 } as const;
const schema = { ref: 1, format: 2, description: 4, required: 19, additionalProperties: 21, type: 22, items: 23, properties: 25, extension: 31 } as const;
const operation = { operationId: 5, parameters: 8, responses: 9, extension: 13 } as const;
const methods: Readonly<Record<string, number>> = { get: 2, put: 3, post: 4, delete: 5, patch: 8 };
/** Name and value of an entry, in all the lists that stand for maps. */
const entry = { name: 1, value: 2 } as const;

export function openApi2Protobuf(openApi: JsonObject): Uint8Array {
  const { swagger, info, paths, definitions } = openApi;
  return Buffer.concat([
    text(document.swagger, swagger),
    message(document.info, [text(1, part(info, 'title')), text(2, part(info, 'version'))]),
    message(document.paths, entriesOf(paths).map(([path, item]) => message(2, [text(entry.name, path), message(entry.value, pathItem(item))]))),
    message(document.definitions, entriesOf(definitions).map(([name, one]) => namedSchema(name, one))),
  ]);
}

function namedSchema(name: string, value: unknown): Buffer {
  return message(1, [text(entry.name, name), message(entry.value, schemaFields(value))]);
}

function schemaFields(value: unknown): Buffer[] {
  if (!isJsonObject(value)) return [];
  const required: readonly unknown[] = Array.isArray(value['required']) ? value['required'] : [];
  return [
    text(schema.ref, value['$ref']), text(schema.format, value['format']), text(schema.description, value['description']),
    ...required.map((name) => text(schema.required, name)),
    ...optional(value['additionalProperties'], (one) => message(schema.additionalProperties, [message(1, schemaFields(one))])),
    ...optional(value['type'], (one) => message(schema.type, [text(1, one)])),
    ...optional(value['items'], (one) => message(schema.items, [message(1, schemaFields(one))])),
    ...optional(value['properties'], (one) => message(schema.properties, entriesOf(one).map(([name, property]) => namedSchema(name, property)))),
    ...extensions(schema.extension, value),
  ];
}

function pathItem(value: unknown): Buffer[] {
  return entriesOf(value).flatMap(([method, one]) => {
    const number = methods[method];
    if (number === undefined || !isJsonObject(one)) return [];
    const parameters: readonly unknown[] = Array.isArray(one['parameters']) ? one['parameters'] : [];
    return [message(number, [
      text(operation.operationId, one['operationId']),
      ...parameters.map((parameter) => message(operation.parameters, [message(1, [message(2, [message(3, queryParameter(parameter))])])])),
      message(operation.responses, entriesOf(one['responses']).map(([code, response]) => message(1, [text(entry.name, code), message(entry.value, [message(1, [text(1, part(response, 'description'))])])]))),
      ...extensions(operation.extension, one),
    ])];
  });
}

function queryParameter(value: unknown): Buffer[] {
  return [text(2, part(value, 'in')), text(4, part(value, 'name')), text(6, part(value, 'type'))];
}

/** `x-…` fields; their values are YAML, of which JSON is a part. */
function extensions(field: number, value: JsonObject): Buffer[] {
  return Object.entries(value).filter(([name]) => name.startsWith('x-')).map(([name, one]) => message(field, [text(entry.name, name), message(entry.value, [text(2, yamlOf(one))])]));
}

function yamlOf(value: unknown): string {
  return typeof value === 'string' ? `${value}\n` : `${JSON.stringify(value)}\n`;
}

function optional(value: unknown, encode: (value: unknown) => Buffer): Buffer[] {
  return value === undefined ? [] : [encode(value)];
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isJsonObject(value) ? Object.entries(value) : [];
}

function part(value: unknown, field: string): unknown {
  return isJsonObject(value) ? value[field] : undefined;
}

function text(field: number, value: unknown): Buffer {
  return typeof value === 'string' && value !== '' ? bytes(field, Buffer.from(value)) : Buffer.alloc(0);
}

function message(field: number, parts: readonly Buffer[]): Buffer {
  return bytes(field, Buffer.concat(parts));
}

function bytes(field: number, content: Buffer): Buffer {
  const lengthDelimited = 2;
  return Buffer.concat([varint(field * 8 + lengthDelimited), varint(content.byteLength), content]);
}

function varint(value: number): Buffer {
  const digits: number[] = [];
  let rest = value;
  while (rest >= 128) {
    digits.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...digits, rest]);
}
