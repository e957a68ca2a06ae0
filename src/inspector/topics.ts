// Every topic of the bus, for filters.
import type { Topic } from '../bus/messages.ts';

/** A record, so that the compiler finds one that is missing. */
const every: Readonly<Record<Topic, true>> = {
  'source.updated': true, 'input.refused': true, 'pod.refused': true, 'object.received': true, 'object.changed': true, 'pods.recalled': true,
  'cloud.listed': true, 'pods.changed': true, 'sources.ready': true, 'pod.transitioned': true, 'pod.planned': true, 'pod.status': true,
  'pod.terminated': true, 'pod.forgotten': true, 'pod.kill': true, 'pod.evicted': true, 'probe.changed': true, 'token.changed': true,
  'runtime.event': true, 'runtime.relisted': true, 'runtime.relist-failed': true, 'runtime.health': true, 'image.requested': true,
  'image.unwanted': true, 'image.resolved': true, 'images.prefetch': true, 'gc.requested': true, 'gc.done': true, 'garbage.removed': true, 'log.rotated': true,
  'api.write': true, 'api.settled': true, 'event.noted': true, 'node.pressure': true, 'node.shutdown': true, 'node.received': true,
  'node.status': true, 'node.registered': true, 'node.recalled': true, 'mirror.received': true, 'mirror.known': true,
  'storage.health': true, 'mqtt.link': true, 'mqtt.received': true, 'mqtt.ack': true, 'mqtt.refused': true, 'mqtt.certificate': true,
  'mqtt.renew': true, 'actor.failed': true,
};

export const topics: readonly string[] = Object.keys(every);
