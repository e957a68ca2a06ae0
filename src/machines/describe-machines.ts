// The machines' diagrams as the documents show them. For scripts/docs.mjs and the test that keeps the page current.
import { leaseMachine } from './lease-machine.ts';
import { linkMachine } from './link-machine.ts';
import { machineDiagram } from './machine-diagram.ts';
import { podMachine } from './pod-machine.ts';

const fenced = (text: string) => `\`\`\`mermaid\n${text}\`\`\``;

export function podDiagram(): string {
  return fenced(machineDiagram(podMachine));
}

export function linkDiagram(): string {
  return fenced(machineDiagram(linkMachine));
}

export function leaseDiagram(): string {
  return fenced(machineDiagram(leaseMachine));
}
