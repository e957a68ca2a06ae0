// ServicePort's twin: notes what it is told.
import { fail, ok, type Result } from '../../ports/result.ts';
import type { ServiceFault, ServicePort, ServiceWords } from '../../ports/service-port.ts';

export class SimService implements ServicePort {
  readonly watchdogMs: number | undefined;
  readonly told: ServiceWords[] = [];
  /** False: it cannot be reached. */
  hears = true;

  constructor({ watchdogMs }: { readonly watchdogMs?: number } = {}) {
    this.watchdogMs = watchdogMs;
  }

  async tell(words: ServiceWords): Promise<Result<void, ServiceFault>> {
    if (!this.hears) return fail({ kind: 'failed', message: 'nobody listens' });
    this.told.push(words);
    return ok();
  }
}
