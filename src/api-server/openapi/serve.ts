// The documents of OpenAPI as answers: JSON, or the protocol buffers of version 2. Each is made once, when somebody asks.
import { createHash } from 'node:crypto';
import type { ApiAnswer, ApiRequest } from '../../ports/api-listener-port.ts';
import { openApi2, openApi3, openApi3Paths } from './documents.ts';
import { openApi2Protobuf } from './protobuf.ts';

/** The older name has an @, which Go's reader of media types refuses. */
const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const made = new Map<string, Uint8Array>();

/** Undefined for other paths. */
export function openApiAnswer(path: string, { headers }: Pick<ApiRequest, 'headers'>): ApiAnswer | undefined {
  if (path === '/openapi/v2') {
    const protobuf = (headers['accept'] ?? '').includes('proto-openapi.spec.v2');
    return protobuf ? document(protobufType, once('v2.pb', () => openApi2Protobuf(openApi2()))) : document('application/json', once('v2', () => Buffer.from(JSON.stringify(openApi2()))));
  }
  if (path === '/openapi/v3') {
    const paths = Object.fromEntries(openApi3Paths().map((one) => [one, { serverRelativeURL: `/openapi/v3/${one}?hash=${digest(group(one))}` }]));
    return document('application/json', Buffer.from(JSON.stringify({ paths })));
  }
  const name = path.startsWith('/openapi/v3/') ? path.slice('/openapi/v3/'.length) : undefined;
  return name !== undefined && openApi3Paths().includes(name) ? document('application/json', group(name)) : undefined;
}

function group(name: string): Uint8Array {
  return once(`v3/${name}`, () => Buffer.from(JSON.stringify(openApi3(name))));
}

function once(name: string, make: () => Uint8Array): Uint8Array {
  const bytes = made.get(name) ?? make();
  made.set(name, bytes);
  return bytes;
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32).toUpperCase();
}

function document(type: string, body: Uint8Array): ApiAnswer {
  return { kind: 'whole', status: 200, headers: { 'content-type': type, etag: `"${digest(body)}"`, vary: 'Accept' }, body };
}
