// The calls we make, taken from proto/descriptors.json: path, encoder, decoder. Knows no connection and no meaning.
import type { MethodDefinition, PackageDefinition, ServiceDefinition } from '@grpc/proto-loader';
import { fromJSON } from '@grpc/proto-loader';
import descriptors from '../../../proto/descriptors.json';

/** How our .proto files become objects: camelCase from the JSON, 64-bit numbers as text, enums by name, nothing absent. */
const loadOptions = { keepCase: false, longs: String, enums: String, defaults: true, oneofs: true } as const;

/** Made by protobufjs itself (scripts/proto.mjs); TypeScript widens the literal `rule` of a field to a string. */
const namespaces = descriptors as Parameters<typeof fromJSON>[0];

export const runtimeServiceName = 'runtime.v1.RuntimeService';
export const imageServiceName = 'runtime.v1.ImageService';
export const eventsServiceName = 'containerd.services.events.v1.Events';
export const contentServiceName = 'containerd.services.content.v1.Content';
const leasesServiceName = 'containerd.services.leases.v1.Leases';

/** One gRPC method as a client needs it; the request and answer types are the caller's to name. */
export interface WireMethod {
  readonly path: string;
  serialize(request: object): Buffer;
  deserialize(bytes: Buffer): object;
}

/** Decodes the payload of a containerd event; absent where the type is none of ours. */
export type PayloadDecoder = (bytes: Buffer) => object;

export interface WireMethods {
  runtime(name: string): WireMethod;
  images(name: string): WireMethod;
  events(name: string): WireMethod;
  content(name: string): WireMethod;
  leases(name: string): WireMethod;
  payload(typeName: string): PayloadDecoder | undefined;
}

export interface Services {
  readonly runtime: ServiceDefinition;
  readonly images: ServiceDefinition;
  readonly events: ServiceDefinition;
}

/** The services' definitions in grpc-js' form, for a server. */
export function loadServices(): Services {
  const definitions = fromJSON(namespaces, loadOptions);
  return {
    runtime: service(definitions, runtimeServiceName),
    images: service(definitions, imageServiceName),
    events: service(definitions, eventsServiceName),
  };
}

/**
 * Only what a client calls is kept: the definitions with their descriptors, some hundred kilobytes, are left to the collector.
 */
export function loadMethods(): WireMethods {
  const definitions = fromJSON(namespaces, loadOptions);
  const table = new Map<string, WireMethod>();
  for (const name of [runtimeServiceName, imageServiceName, eventsServiceName, contentServiceName, leasesServiceName]) {
    for (const method of Object.values(service(definitions, name))) table.set(method.path, slim(method));
  }
  const payloads = new Map<string, PayloadDecoder>();
  for (const [name, definition] of Object.entries(definitions)) {
    if (name.startsWith('containerd.events.') && 'deserialize' in definition && typeof definition.deserialize === 'function') {
      payloads.set(name, definition.deserialize);
    }
  }
  const find = (serviceName: string) => (name: string): WireMethod => {
    const method = table.get(`/${serviceName}/${name}`);
    if (method === undefined) throw new Error(`proto/descriptors.json has no method ${serviceName}.${name}`);
    return method;
  };
  return {
    runtime: find(runtimeServiceName), images: find(imageServiceName), events: find(eventsServiceName), content: find(contentServiceName), leases: find(leasesServiceName),
    payload: (typeName) => payloads.get(typeName),
  };
}

function slim(method: MethodDefinition<object, object>): WireMethod {
  return { path: method.path, serialize: method.requestSerialize, deserialize: method.responseDeserialize };
}

function service(definitions: PackageDefinition, name: string): ServiceDefinition {
  const definition = definitions[name];
  if (definition === undefined || 'format' in definition) throw new Error(`proto/descriptors.json has no service ${name}`);
  // Of the three kinds of definition, only a service has no `format`.
  return definition as ServiceDefinition;
}
