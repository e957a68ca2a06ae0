// KubeApiPort without a network: asks an API in the same process. The twin of kubernetes-client.ts for tests; calls can be made to fail.
import type { ClientSubject } from '../../ports/api-listener-port.ts';
import type { KubeApiPort, KubeFault, KubeObject, KubeRequest, KubeWatch, KubeWatchEvent } from '../../ports/kube-api-port.ts';
import type { Status } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { SimApiListener, SimApiStream } from './sim-api-listener.ts';

export class SimKubeApi implements KubeApiPort {
  readonly calls: KubeRequest[] = [];
  /** What answers in place of the API; undefined: the API does. */
  fault: ((request: KubeRequest) => KubeFault | undefined) | undefined;
  readonly #listener: SimApiListener;
  readonly #client: ClientSubject;
  readonly #watches = new Set<(fault: KubeFault) => void>();

  constructor(listener: SimApiListener, client: ClientSubject) {
    this.#listener = listener;
    this.#client = client;
  }

  async call(request: KubeRequest): Promise<Result<KubeObject, KubeFault>> {
    this.calls.push(request);
    const fault = this.fault?.(request);
    if (fault !== undefined) return fail(fault);
    const { method, path, query = {}, body, contentType = 'application/json' } = request;
    const answer = await this.#listener.request({ method, url: urlOf(path, query), client: this.#client, ...(body === undefined ? {} : { body, headers: { 'content-type': contentType } }) });
    const object = JSON.parse(answer.body) as KubeObject; // The API answers JSON objects only.
    return answer.status < 300 ? ok(object) : fail({ kind: 'refused', status: object as Status });
  }

  watch(path: string, query: Readonly<Record<string, string>>, take: (event: KubeWatchEvent) => void): KubeWatch {
    let stream: SimApiStream | undefined;
    let finish: (result: Result<void, KubeFault>) => void = () => undefined;
    let over = false;
    const ended = new Promise<Result<void, KubeFault>>((resolve) => {
      finish = (result) => {
        over = true;
        this.#watches.delete(cut);
        resolve(result);
        void stream?.close();
      };
    });
    const cut = (fault: KubeFault): void => finish(fail(fault));
    this.#watches.add(cut);
    const line = (text: string): void => {
      if (!over) take(JSON.parse(text) as KubeWatchEvent); // Written by the API as one.
    };
    this.#listener.stream({ method: 'GET', url: urlOf(path, { ...query, watch: 'true' }), client: this.#client }, { line, end: () => finish(ok()) }).then((begun) => {
      stream = begun;
      if (over) void begun.close();
    }, (error: unknown) => finish(fail({ kind: 'unreachable', message: String(error) })));
    return { ended, stop: () => finish(ok()) };
  }

  /** All watches break. */
  cut(fault: KubeFault = { kind: 'unreachable', message: 'cut' }): void {
    for (const end of [...this.#watches]) end(fault);
  }

  close(): void {
    this.cut();
  }
}

function urlOf(path: string, query: Readonly<Record<string, string>>): string {
  const text = new URLSearchParams(query).toString();
  return text === '' ? path : `${path}?${text}`;
}
