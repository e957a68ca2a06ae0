// Every machine of the agent, for who draws or watches them.
import { leaseMachine } from './lease-machine.ts';
import { linkMachine } from './link-machine.ts';
import { podMachine } from './pod-machine.ts';

export const machines = [podMachine, linkMachine, leaseMachine] as const;
