// What the bus tells of containers and their logs, kept for those who care for log files. Says which came and which went.
import type { BusPort, Listening } from '../bus/bus.ts';
import type { PodReference } from '../bus/messages.ts';
import { type ContainerLog, containerLogsOf } from '../machines/decide/container-logs.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import type { ContainerId, PodUid } from '../ports/pod-types.ts';

export interface LogOwner {
  readonly pod: PodReference;
  readonly log: ContainerLog;
}

export interface ContainerLogsDeps {
  readonly bus: BusPort;
  readonly settings: NodeSettings;
  /** Called for a log that is new, or whose container began or ended. */
  shown(owner: LogOwner): void;
  /** Called for a log that no status shows any more. */
  gone(owner: LogOwner): void;
}

/** As large as the node's containers are many, and one more for each: pods are bounded by admission. */
export class ContainerLogs {
  readonly #deps: ContainerLogsDeps;
  readonly #listenings: Listening[];
  readonly #byPod = new Map<PodUid, ReadonlyMap<ContainerId, LogOwner>>();

  constructor(deps: ContainerLogsDeps) {
    this.#deps = deps;
    this.#listenings = [
      deps.bus.on('pod.status', ({ payload: { desired, status } }) => {
        const { uid, namespace, name } = desired;
        const pod = { uid, namespace, name };
        this.#update(uid, new Map(containerLogsOf(desired, status, deps.settings).map((log) => [log.id, { pod, log }])));
      }),
      deps.bus.on('pod.forgotten', ({ payload }) => {
        this.#update(payload.pod.uid, new Map());
        this.#byPod.delete(payload.pod.uid);
      }),
    ];
  }

  stop(): void {
    for (const listening of this.#listenings) listening.off();
  }

  #update(uid: PodUid, now: ReadonlyMap<ContainerId, LogOwner>): void {
    const before = this.#byPod.get(uid);
    this.#byPod.set(uid, now);
    for (const [id, owner] of now) if (before?.get(id)?.log.isRunning !== owner.log.isRunning) this.#deps.shown(owner);
    if (before !== undefined) for (const [id, owner] of before) if (!now.has(id)) this.#deps.gone(owner);
  }
}
