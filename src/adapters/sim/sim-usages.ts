// What the containers of the simulated runtime use: what the world has set, else nothing and one process each.
import type { ContainerStats } from '../../ports/container-stats.ts';
import type { PodUid } from '../../ports/pod-types.ts';
import type { SimContainer, SimSandbox } from './sim-state.ts';

/** What a container is made to use. */
export type SimUsage = Pick<ContainerStats, 'workingSetBytes' | 'layerBytes' | 'layerInodes'> & { readonly processes?: number };

type Containers = ReadonlyMap<string, SimContainer>;
type Sandboxes = ReadonlyMap<string, SimSandbox>;

export class SimUsages {
  readonly #usages = new Map<string, SimUsage>();

  /** @param container by the names of pod and container: `web/app` */
  set(container: string, usage: SimUsage): this {
    this.#usages.set(container, usage);
    return this;
  }

  stats(containers: Containers, sandboxes: Sandboxes): readonly ContainerStats[] {
    return runningOf(containers).map((container) => {
      const { processes: _processes, ...usage } = this.#of(container, sandboxes);
      return { id: container.id, podUid: container.podUid, name: container.config.metadata.name, workingSetBytes: 0, layerBytes: 0, layerInodes: 0, ...usage };
    });
  }

  processes(containers: Containers, sandboxes: Sandboxes): ReadonlyMap<PodUid, number> {
    const counts = new Map<PodUid, number>();
    for (const container of runningOf(containers)) {
      counts.set(container.podUid, (counts.get(container.podUid) ?? 0) + (this.#of(container, sandboxes).processes ?? 1));
    }
    return counts;
  }

  #of({ sandboxId, config }: SimContainer, sandboxes: Sandboxes): SimUsage {
    return this.#usages.get(`${sandboxes.get(sandboxId)?.config.metadata.name ?? ''}/${config.metadata.name}`) ?? {};
  }
}

function runningOf(containers: Containers): readonly SimContainer[] {
  return [...containers.values()].filter(({ podUid, state }) => podUid !== '' && state === 'running');
}
