// Topics of streams (docs/wire.md, section 2): one for each session of a cloud side with a node, in each direction. Pure text.
import { cleanTopic } from '../dialects/clean-topic.ts';

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

export function streamPrefix(rootTopic: string, direction: 'up' | 'down'): string {
  return `${cleanTopic(rootTopic, layout, direction)}/`;
}
