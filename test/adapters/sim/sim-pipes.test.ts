// The simulated streaming server keeps the port's contract.
import { describe } from 'vitest';
import { SimPipes } from '../../../src/adapters/sim/sim-pipes.ts';
import type { ContainerId } from '../../../src/ports/pod-types.ts';
import { streamRuntimeContract } from '../../ports/stream-runtime-contract.ts';

describe('the simulated streaming server', () => {
  const pipes = new SimPipes();
  const running = 'c1' as ContainerId; // A container of the twin.
  pipes.running.add(running);
  streamRuntimeContract(() => ({ pipes, running }));
});
