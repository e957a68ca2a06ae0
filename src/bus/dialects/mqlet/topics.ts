// Topics of the mqlet dialect: each node has its own in both directions (docs/wire.md, section 2). Pure text.
import { cleanTopic } from '../clean-topic.ts';

/** Of the layout of topics and headers; another one would live beside it. */
const layout = 'v1';

export type Channel = 'api' | 'presence';

export interface NodeTopics {
  readonly up: string;
  readonly presence: string;
  readonly down: string;
}

export function nodeTopics(rootTopic: string, nodeName: string): NodeTopics {
  return {
    up: cleanTopic(rootTopic, layout, 'up', nodeName, 'api'),
    presence: cleanTopic(rootTopic, layout, 'up', nodeName, 'presence'),
    down: cleanTopic(rootTopic, layout, 'down', nodeName, 'api'),
  };
}

/** What a cloud side subscribes to, in this order: who is there comes before what he says. */
export function cloudFilters(rootTopic: string): readonly string[] {
  return [cleanTopic(rootTopic, layout, 'up', '+', 'presence'), cleanTopic(rootTopic, layout, 'up', '+', 'api')];
}

/** @returns undefined for topics that are not this dialect's, streams among them */
export function parseTopic(rootTopic: string, topic: string): { readonly direction: 'up' | 'down'; readonly nodeName: string; readonly channel: Channel } | undefined {
  const prefix = `${cleanTopic(rootTopic, layout)}/`;
  if (!topic.startsWith(prefix)) return undefined;
  const [direction, nodeName, channel, ...more] = topic.slice(prefix.length).split('/');
  if (more.length > 0 || nodeName === undefined || nodeName === '') return undefined;
  if (direction === 'up' && (channel === 'api' || channel === 'presence')) return { direction, nodeName, channel };
  return direction === 'down' && channel === 'api' ? { direction, nodeName, channel } : undefined;
}
