// Looks into packets of the mqlet dialect for those who record them: their text, and the same packet with another text.
import { isJsonObject, type JsonObject } from '../json-value.ts';
import { noDictionary, packBody, readBody } from './body.ts';
import { decodeFrame, encodeFrame, readFragment } from './header.ts';

/**
 * @param rewrite of the JSON inside
 * @returns the same packet around other text; `undefined` for what is no packet with text; `fragment` for a part that tells nothing by itself
 */
export function rewriteText(payload: Uint8Array, rewrite: (text: string) => string): Uint8Array | 'fragment' | undefined {
  if (readFragment(payload) !== undefined) return 'fragment';
  const frame = decodeFrame(payload);
  if (!frame.ok || frame.value === 'ignorable') return undefined;
  const body = readBody(frame.value);
  if (!body.ok) return undefined;
  const text = JSON.stringify(body.value);
  const rewritten = rewrite(text);
  if (rewritten === text) return payload;
  const { dictionary = noDictionary, body: _body, ...header } = frame.value;
  // Words for words: what was JSON is JSON still.
  return encodeFrame({ ...header, ...packBody(JSON.parse(rewritten) as JsonObject, { dictionary }) });
}

/** Objects of a kind that a packet brings down. */
export function objectsIn(payload: Uint8Array, kind: string): readonly JsonObject[] {
  const frame = decodeFrame(payload);
  const body = frame.ok && frame.value !== 'ignorable' ? readBody(frame.value) : undefined;
  const put: unknown = body?.ok === true ? body.value.put : undefined;
  return Array.isArray(put) ? put.filter(isJsonObject).filter((entry) => entry.kind === kind).map((entry) => entry.object).filter(isJsonObject) : [];
}
