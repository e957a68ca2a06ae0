// Topics on which a device asks to become a node, and a node for its next certificate (docs/join.md, section 2). Pure text.
import { cleanTopic } from '../dialects/clean-topic.ts';

/** Where two speak: `up` is the device's, `down` the cloud's. */
export interface JoinTopics {
  readonly up: string;
  readonly down: string;
}

/** Before it has a certificate. @param device its client id, made up for one try */
export function deviceTopics(rootTopic: string, device: string): JoinTopics {
  return { up: cleanTopic(rootTopic, 'v1', 'join', device, 'up'), down: cleanTopic(rootTopic, 'v1', 'join', device, 'down') };
}

/** Of a node that shows its certificate; within what access lists let it use anyway. */
export function renewalTopics(rootTopic: string, nodeName: string): JoinTopics {
  return { up: cleanTopic(rootTopic, 'v1', 'up', nodeName, 'join'), down: cleanTopic(rootTopic, 'v1', 'down', nodeName, 'join') };
}

/** What the cloud side subscribes to. */
export function joinFilters(rootTopic: string): readonly string[] {
  return [deviceTopics(rootTopic, '+').up, renewalTopics(rootTopic, '+').up];
}

/** Who speaks on a topic; undefined for all others. */
export function speakerOn(rootTopic: string, topic: string): { readonly kind: 'device' | 'node'; readonly name: string } | undefined {
  const prefix = `${cleanTopic(rootTopic, 'v1')}/`;
  if (!topic.startsWith(prefix)) return undefined;
  const [first, name = '', last, ...more] = topic.slice(prefix.length).split('/');
  if (name === '' || more.length > 0) return undefined;
  if (first === 'join' && last === 'up') return { kind: 'device', name };
  return first === 'up' && last === 'join' ? { kind: 'node', name } : undefined;
}
