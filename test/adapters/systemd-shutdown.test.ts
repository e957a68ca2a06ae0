// systemd's commands against the contract, with a scripted logind; and what its own bus says.
import { expect } from 'vitest';
import { systemdShutdown } from '../../src/adapters/shutdown/systemd-shutdown.ts';
import { shutdownContract } from '../ports/shutdown-contract.ts';
import { fakeLogind } from '../support/fake-logind.ts';

shutdownContract('systemd', async () => {
  const logind = await fakeLogind();
  return {
    port: systemdShutdown({ systemRoot: logind.root, commandPath: logind.commandPath }),
    without: systemdShutdown({ systemRoot: `${logind.root}/nothing`, commandPath: logind.commandPath }),
    prepare: logind.prepare,
    lose: logind.lose,
    delays: logind.delays,
    until: (condition) => expect.poll(condition, { timeout: 10_000, interval: 20 }).toBe(true),
    stop: logind.remove,
  };
});
