// RuntimePort around another that shows containers of a former agent with the hash this one would have given them, so that they go on
// running. It changes what is shown, never what is there, and only of the containers that were named.
import type { AdoptedContainer } from '../ports/adopted-containers.ts';
import { ok } from '../ports/result.ts';
import type { RuntimePort } from '../ports/runtime-port.ts';

/** @param annotation where the hash stands */
export function adoptContainers(runtime: RuntimePort, adopted: readonly AdoptedContainer[], annotation: string): RuntimePort {
  const byId = new Map(adopted.map((one) => [one.id, one]));
  return new Proxy(runtime, {
    get: (target, name) => {
      if (name !== 'containerStatus') {
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      }
      return (async (id) => {
        const answer = await target.containerStatus(id);
        const one = byId.get(id);
        if (!answer.ok || one === undefined || answer.value.annotations[annotation] !== one.was) return answer;
        return ok({ ...answer.value, annotations: { ...answer.value.annotations, [annotation]: one.hash } });
      }) satisfies RuntimePort['containerStatus'];
    },
  });
}
