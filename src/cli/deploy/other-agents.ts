// Other node agents on this machine: two on one runtime end each other's pods.
import { readdirSync, readFileSync } from 'node:fs';

export interface OtherAgent {
  readonly name: string;
  readonly pid: number;
}

const agents = ['kubelet', 'k3s', 'k3s-server', 'k3s-agent', 'rke2', 'k0s', 'microk8s', 'kubelite', 'lite-kubelet', 'edgecore'];

/** @param procDirectory where processes are listed */
export function otherAgents(procDirectory = '/proc'): readonly OtherAgent[] {
  return readdirSync(procDirectory).filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    const name = commandOf(`${procDirectory}/${pid}/comm`);
    return agents.includes(name) ? [{ name, pid: Number(pid) }] : [];
  });
}

/** Empty where the process has ended meanwhile. */
function commandOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
