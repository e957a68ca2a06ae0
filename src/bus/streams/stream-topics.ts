// Topics of streams (docs/wire.md, section 2): one for each session of a cloud side with a node, in each direction. Pure text.
import { cleanTopic } from '../dialects/clean-topic.ts';
import { streamTypes, streamVersion } from './stream-frames.ts';

const layout = 'v1';
const channel = 'stream';

export interface StreamPlace {
  readonly nodeName: string;
  readonly session: string;
}

export function upTopic(rootTopic: string, { nodeName, session }: StreamPlace): string {
  return cleanTopic(rootTopic, layout, 'up', nodeName, channel, session);
}

export function downTopic(rootTopic: string, { nodeName, session }: StreamPlace): string {
  return cleanTopic(rootTopic, layout, 'down', nodeName, channel, session);
}

/** What a node subscribes to, of whatever session. */
export function nodeStreamFilter(rootTopic: string, nodeName: string): string {
  return cleanTopic(rootTopic, layout, 'down', nodeName, channel, '+');
}

/** What a cloud side subscribes to, of whatever node. */
export function cloudStreamFilter(rootTopic: string, session: string): string {
  return cleanTopic(rootTopic, layout, 'up', '+', channel, session);
}

/** @param prefix `<root>/v1/up/` or `<root>/v1/down/` */
export function parseStreamTopic(prefix: string, topic: string): StreamPlace | undefined {
  if (!topic.startsWith(prefix)) return undefined;
  const [nodeName = '', word, session = '', ...more] = topic.slice(prefix.length).split('/');
  return word === channel && more.length === 0 && nodeName !== '' && session !== '' ? { nodeName, session } : undefined;
}

const streamTopic = /\/v1\/(?:up|down)\/[^/]+\/stream\/[^/]+$/;
const openingTopic = /\/v1\/down\/[^/]+\/api$/;

/** Whether a packet belongs to a stream or asks for one, whatever the root topic. */
export function isOfStream({ topic, payload }: { readonly topic: string; readonly payload: Uint8Array }): boolean {
  if (payload[0] !== streamVersion) return false;
  return payload[1] === streamTypes.open ? openingTopic.test(topic) : streamTopic.test(topic);
}

export function streamPrefix(rootTopic: string, direction: 'up' | 'down'): string {
  return `${cleanTopic(rootTopic, layout, direction)}/`;
}
