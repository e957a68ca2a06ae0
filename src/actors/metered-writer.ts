// Figures of the API writer's queue and of the outbox behind it, read when somebody scrapes.
import type { ApiWriterStatistics } from '../bus/egress/api-writer.ts';
import type { MetricsRegistry } from './metrics-registry.ts';

export function meterWriter(registry: MetricsRegistry, statistics: () => ApiWriterStatistics): void {
  registry.gauge('mqlet_api_writes_waiting', 'API writes that wait to be sent, by whether they are events.', () => {
    const { waiting, waitingEvents } = statistics();
    return [{ labels: { kind: 'event' }, value: waitingEvents }, { labels: { kind: 'other' }, value: waiting - waitingEvents }];
  });
  registry.gauge('mqlet_api_writes_in_flight', 'API writes that wait for their answers.', () => statistics().inFlight);
  registry.readCounter('mqlet_api_writes_dropped_total', 'API writes dropped because too many waited, or for too long.', () => statistics().dropped);
  registry.gauge('mqlet_outbox_bytes', 'Size of the outbox on disk.', () => statistics().outboxBytes);
}
