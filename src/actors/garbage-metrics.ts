// The figures of the garbage collectors and of log keeping, under the kubelet's names where it has one. Fed by bus messages.
import type { BusPort, Listening } from '../bus/bus.ts';
import type { MetricsRegistry } from './metrics-registry.ts';

export function countGarbage(bus: BusPort, registry: MetricsRegistry): Listening[] {
  const images = registry.counter('kubelet_image_garbage_collected_total', 'Images removed, by reason.');
  const removed = registry.counter('mqlet_garbage_removed_total', 'Images, containers, sandboxes and log directories removed, by kind and why.');
  const freed = registry.counter('mqlet_garbage_freed_bytes_total', 'Bytes of removed images.');
  const failures = registry.counter('mqlet_garbage_failures_total', 'Passes of a garbage collector that met trouble, by what it collects.');
  const rotations = registry.counter('mqlet_log_rotations_total', 'Container logs rotated.');
  return [
    bus.on('garbage.removed', ({ payload: { kind, why, freedBytes } }) => {
      removed.add({ kind, why });
      if (kind !== 'image') return;
      images.add({ reason: why });
      freed.add({}, freedBytes);
    }),
    bus.on('gc.done', ({ payload: { what, trouble } }) => { if (trouble !== '') failures.add({ what }); }),
    bus.on('log.rotated', () => rotations.add()),
  ];
}
