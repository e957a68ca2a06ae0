// Bodies of requests: JSON, or YAML where it is asked for. Pure; sizes are bounded before.
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import { readYaml } from '../bus/ingress/read-yaml.ts';
import type { ApiRequest } from '../ports/api-listener-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { patchTypes } from './patch/patch-object.ts';
import { badRequest, type Refusal, unsupportedMediaType } from './refusals.ts';

/** As the API server's. */
export const bodyBytesMax = 3 * 1_024 * 1_024;

const objectTypes = ['application/json', 'application/yaml'];

export function mediaType(headers: ApiRequest['headers']): string {
  return (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** An object; `{}` for an empty body where that is allowed. */
export function objectIn({ headers, body }: Pick<ApiRequest, 'headers' | 'body'>, options: { readonly mayBeEmpty: boolean } = { mayBeEmpty: false }): Result<JsonObject, Refusal> {
  if (body.byteLength === 0 && options.mayBeEmpty) return ok({});
  const type = mediaType(headers);
  if (type !== '' && !objectTypes.includes(type)) return fail(unsupportedMediaType(objectTypes));
  const value = type === 'application/yaml' ? fromYaml(body) : fromJson(body);
  if (!value.ok) return value;
  return isJsonObject(value.value) ? ok(value.value) : fail(badRequest('the body of the request must be an object'));
}

/** What a PATCH carries: an object or a list, by the type it says. */
export function patchIn({ headers, body }: Pick<ApiRequest, 'headers' | 'body'>): Result<{ readonly type: string; readonly patch: unknown }, Refusal> {
  const type = mediaType(headers);
  if (!Object.values(patchTypes).some((one) => one === type)) return fail(unsupportedMediaType(Object.values(patchTypes)));
  const patch = type === patchTypes.apply ? fromYaml(body) : fromJson(body);
  return patch.ok ? ok({ type, patch: patch.value }) : patch;
}

function fromJson(body: Uint8Array): Result<unknown, Refusal> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return ok(value);
  } catch (error) {
    return fail(badRequest(`couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : 'no JSON'}`));
  }
}

function fromYaml(body: Uint8Array): Result<unknown, Refusal> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return fail(badRequest('error decoding YAML: not UTF-8 text'));
  }
  // JSON is YAML, and quicker read as what it is.
  if (text.trimStart().startsWith('{')) return fromJson(body);
  const [document, ...more] = readYaml(text);
  if (document === undefined || more.length > 0) return fail(badRequest('error decoding YAML: exactly one document is expected'));
  return document.kind === 'broken' ? fail(badRequest(`error decoding YAML: ${document.message}`)) : ok(document.value);
}
