// RandomPort on the machine's randomness.
import { randomUUID } from 'node:crypto';
import type { RandomPort } from '../ports/random-port.ts';

export class SystemRandom implements RandomPort {
  fraction(): number {
    return Math.random();
  }

  uuid(): string {
    return randomUUID();
  }
}
