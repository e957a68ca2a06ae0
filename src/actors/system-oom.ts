// Tells of processes that the kernel killed because the machine had no memory left. It looks when it is asked to: whoever watches the
// node's memory asks, so that no timer of its own wakes the node.
import type { BusPort } from '../bus/bus.ts';
import type { KernelLogPort } from '../ports/kernel-log-port.ts';

/** A machine in such need kills many; each look tells of so many at most. */
export const toldMax = 10;

export interface SystemOomWatch {
  look(): Promise<void>;
}

/** What was killed before the first look is nobody's news. */
export function systemOomWatch({ bus, kernelLog }: { readonly bus: BusPort; readonly kernelLog: KernelLogPort }): SystemOomWatch {
  let counted: number | undefined;
  return {
    look: async () => {
      const count = await kernelLog.countOomKills();
      const before = counted;
      counted = count;
      if (count === undefined || before === undefined || count <= before) return;
      const kills = await kernelLog.latestOomKills(count - before);
      for (const { pid, victim } of kills.filter(({ scope }) => scope === 'system').slice(-toldMax)) {
        bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Warning', reason: 'SystemOOM', message: `System OOM encountered, victim process: ${victim}, pid: ${pid}` });
      }
    },
  };
}
