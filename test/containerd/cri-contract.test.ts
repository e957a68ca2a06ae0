// The CRI adapter on a real containerd keeps the contract of RuntimePort, the same that the twin keeps.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe } from 'vitest';
import { connectCri } from '../../src/adapters/cri/cri-client.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { runtimeContract } from '../ports/runtime-contract.ts';
import { busyboxImage, containerdProblem, withContainerd } from '../support/containerd.ts';
import type { Program } from '../support/runtime-configs.ts';
import { silentLog } from '../support/silent-log.ts';

const problem = await containerdProblem();
const shell = (script: string): Program => ({ image: busyboxImage, command: ['sh', '-c', script] });

describe.skipIf(problem !== undefined)(`containerd${problem === undefined ? '' : ` (skipped: ${problem})`}`, () => {
  runtimeContract('containerd through gRPC', async () => {
    const fixture = await withContainerd();
    const logDirectory = path.join(fixture.directory, 'logs');
    mkdirSync(logDirectory);
    const connection = connectCri({ endpoint: fixture.endpoint, clock: new SystemClock(), log: silentLog, callTimeoutMs: 30_000 });
    return {
      runtime: connection.runtime,
      images: connection.images,
      wait: (delayMs) => new Promise((resolve) => { setTimeout(resolve, delayMs); }),
      nowMs: () => Date.now(),
      logDirectory,
      programs: {
        // As process 1 a shell ignores SIGTERM unless told; the sleep is what it waits for.
        graceful: shell('trap "exit 0" TERM; sleep 3600 & wait'),
        ignoresTerm: shell('trap "" TERM; while true; do sleep 3600; done'),
        exits: (code) => shell(`exit ${code}`),
        commands: { ends: (code) => ['sh', '-c', `echo exit ${code}; exit ${code}`], goesOn: ['sleep', '3600'] },
        cannotStart: { image: busyboxImage, command: ['/no/such/program'] },
      },
      missingImage: 'mqlet.local/missing:1',
      stop: async () => {
        await connection.close();
        await fixture.stop();
      },
    };
  });
});
