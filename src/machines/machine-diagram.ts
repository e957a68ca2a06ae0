// Draws a machine as a Mermaid state diagram, from its definition. For the documents; the agent never loads it.
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { eventName, guardName, transitionsOf } from './transition-names.ts';

/**
 * Mermaid `stateDiagram-v2` text of a machine: states, nested states, transitions with their events, guards by name and delays.
 * The same machine gives the same text.
 */
export function machineDiagram(machine: AnyStateMachine): string {
  const lines = ['stateDiagram-v2'];
  drawState(machine.root, lines, 1);
  return `${lines.join('\n')}\n`;
}

function drawState(node: AnyStateNode, lines: string[], depth: number): void {
  const indent = '  '.repeat(depth);
  const initial = node.initial?.target?.[0];
  if (initial !== undefined) lines.push(`${indent}[*] --> ${stateId(initial)}`);
  for (const child of Object.values(node.states)) {
    if (Object.keys(child.states).length > 0) {
      lines.push(`${indent}state "${child.key}" as ${stateId(child)} {`);
      drawState(child, lines, depth + 1);
      lines.push(`${indent}}`);
    } else {
      lines.push(`${indent}state "${child.key}" as ${stateId(child)}`);
    }
  }
  for (const child of Object.values(node.states)) drawTransitions(child, lines, indent);
}

function drawTransitions(node: AnyStateNode, lines: string[], indent: string): void {
  if (node.type === 'final') lines.push(`${indent}${stateId(node)} --> [*]`);
  const seen = new Set<string>();
  for (const transition of transitionsOf(node)) {
    for (const target of transition.target ?? []) {
      const guard = guardName(transition.guard);
      const label = `${eventName(transition.eventType)}${guard === undefined ? '' : ` [${guard}]`}`.trim();
      const line = `${indent}${stateId(node)} --> ${stateId(target)}${label === '' ? '' : `: ${label}`}`;
      if (!seen.has(line)) lines.push(line);
      seen.add(line);
    }
  }
}

function stateId(node: AnyStateNode): string {
  return node.path.join('_');
}
