// Hears of trouble with the node's own files and says it once: in the log, as an event, and for the node's condition. It mends nothing:
// those who write try again by themselves.
import type { BusPort } from '../bus/bus.ts';
import type { StorageArea, StorageTrouble } from '../bus/disk/storage-trouble.ts';
import type { StorageTroubles } from '../machines/decide/storage-condition.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Stoppable } from '../ports/result.ts';

/** Worst first. */
const order = ['DiskReadOnly', 'DiskFull', 'DiskFailed', 'FilesDamaged'] as const satisfies readonly StorageTrouble['reason'][];

export interface StorageWatch extends Stoppable {
  troubles(): StorageTroubles;
}

/** Listens to `storage.health`. @param deps.changed called when there is something else to be shown */
export function startStorageWatch({ bus, log, changed }: { readonly bus: BusPort; readonly log: LogPort; readonly changed: () => void }): StorageWatch {
  const byArea = new Map<StorageArea, StorageTrouble>();
  let shown: StorageTrouble['reason'] | undefined;
  const worst = (): readonly StorageTrouble[] => [...byArea.values()].sort((a, b) => order.indexOf(a.reason) - order.indexOf(b.reason));
  const listening = bus.on('storage.health', ({ payload: { area, trouble } }) => {
    if (trouble === undefined) byArea.delete(area);
    else byArea.set(area, trouble);
    const [first] = worst();
    if (first?.reason === shown) return;
    const before = shown;
    shown = first?.reason;
    if (first === undefined) {
      log.info('storage.well', { before });
      bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Normal', reason: 'StorageWritable', message: 'what the node keeps is on its disk again' });
    } else {
      log.error('storage.trouble', { area, reason: first.reason, message: first.message });
      bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Warning', reason: first.reason, message: first.message });
    }
    changed();
  });
  return { troubles: worst, stop: async () => listening.off() };
}
