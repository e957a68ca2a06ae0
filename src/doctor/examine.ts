// All checks over all facts, in the order in which a person should mend: first what others rest on. Pure.
import type { DoctorFacts } from '../ports/doctor-facts.ts';
import { checkBroker } from './check-broker.ts';
import { checkKernel } from './check-kernel.ts';
import { checkNeighbours } from './check-neighbours.ts';
import { checkNetwork, networkOf } from './check-network.ts';
import { checkClock, checkNames, checkProgram, checkSettings } from './check-program.ts';
import { checkMirrors, checkRuntime } from './check-runtime.ts';
import { checkCertificates, checkManifests, checkPlaces, checkSecretFiles } from './check-storage.ts';
import { check, type Finding } from './finding.ts';

/** Every check that applies to these facts, good ones too. */
export function examine(facts: DoctorFacts): readonly Finding[] {
  const { program, settings, kernel, runtime, cni, mirrors, places, secrets, certificates, manifests, clock, names, neighbours, broker } = facts;
  const network = networkOf(cni);
  const usesBridge = network?.plugins.includes('bridge') ?? false;
  return [
    ...checkSettings(settings), ...checkProgram(program), ...checkClock(clock), ...checkNames(names),
    ...checkKernel(kernel, { snapshotter: runtime.setup?.snapshotter, usesBridge }),
    ...checkPlaces(places), ...checkSecretFiles(secrets), ...checkCertificates(certificates, clock.nowMs), ...checkManifests(manifests),
    ...checkNeighbours(neighbours),
    ...checkRuntime(runtime, network === undefined ? 'bad' : 'good'), ...checkNetwork(cni, runtime), ...checkMirrors(mirrors),
    ...brokerFindings(broker, clock.nowMs),
  ];
}

function brokerFindings(broker: DoctorFacts['broker'], nowMs: number): readonly Finding[] {
  const about = check('broker.name', 'Broker');
  if (broker === undefined) return [about.good('none is named: the node runs alone, from files and mqlet apply')];
  return broker === 'not-asked' ? [about.good('not asked, as you said')] : checkBroker(broker, nowMs);
}
