// Checks of who else is on the machine: other agents, ports in use, the services of systemd. Pure.
import type { NeighbourFacts, ServiceFacts } from '../ports/doctor-facts.ts';
import { check, type Finding } from './finding.ts';

export function checkNeighbours({ own, agents, portsTaken, services }: NeighbourFacts): readonly Finding[] {
  const other = check('neighbours.agents', 'Other agents');
  const ports = check('neighbours.ports', 'Ports');
  return [
    check('neighbours.own', 'mqlet').good(own === undefined ? 'does not run now' : `runs, version ${own.version}`),
    ...(agents.length === 0 ? [other.good('none')] : agents.map(({ processId, program, command }) => other.fault({
      found: `${program} runs as process ${processId}: ${command}`, needed: 'one agent for each runtime: two undo each other\'s pods', mend: stopAgent(program),
    }))),
    ...(portsTaken.length === 0 ? [ports.good('free')] : portsTaken.map(({ setting, address }) => ports.fault({
      found: `something else listens on ${address}`, needed: `${setting} wants it`, mend: `find it with ss -ltnp, or give ${setting} another port (0 turns it off)`,
    }))),
    ...(services ?? []).flatMap(service),
  ];
}

function stopAgent(program: string): string {
  switch (program) {
    case 'kubelet': return 'systemctl disable --now kubelet; mqlet migrate takes over its settings and pods';
    case 'lite-kubelet': return 'stop it; mqlet migrate takes over its settings and pods';
    case 'k3s': return 'systemctl disable --now k3s k3s-agent; or leave the machine to it: it has a runtime of its own';
    case 'mqlet': return 'stop one of them, or give each a --root-dir, an --admin-socket and a --cgroup-root of its own, and a --container-runtime-endpoint of its own too';
    default: return `stop ${program}, or give it a runtime of its own`;
  }
}

function service({ unit, role, load, active, result, enabled }: ServiceFacts): readonly Finding[] {
  const about = check('neighbours.services', `Service ${unit}`);
  // Somebody may start either by other means; only what systemd says is wrong is wrong.
  if (load === 'not-found') return [];
  if (load === 'masked') return [about.fault({ found: 'is masked', needed: 'to be started with the machine', mend: `systemctl unmask ${unit} && systemctl enable --now ${unit}` })];
  if (active === 'failed') return [about.fault({ found: `has failed (${result})`, needed: 'active', mend: `journalctl -u ${unit} -n 50 tells why; then systemctl restart ${unit}` })];
  if (enabled === 'disabled' && active === 'active') return [about.warning({ found: 'runs, and will not after the next start of the machine', needed: 'enabled', mend: `systemctl enable ${unit}` })];
  if (active === 'inactive' && (role === 'runtime' || enabled === 'enabled')) return [about.warning({ found: 'does not run', needed: 'active', mend: `systemctl start ${unit}` })];
  return [about.good(`${active}, ${enabled}`)];
}
