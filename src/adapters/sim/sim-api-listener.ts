// ApiListenerPort without a network: requests are calls, and what a watch writes is collected. The twin of api-listener.ts for tests.
import type { ApiAnswer, ApiListenerPort, ApiRequest, ApiTls, ClientSubject } from '../../ports/api-listener-port.ts';
import type { ListenFault } from '../../ports/listener-port.ts';
import { ok, type Result, type Stoppable } from '../../ports/result.ts';

export interface SimApiCall {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a string or bytes as they are. */
  readonly body?: unknown;
  readonly client?: ClientSubject;
}

export interface SimApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A long answer: what has been written to it so far. */
export interface SimApiStream {
  readonly status: number;
  readonly lines: readonly string[];
  readonly ended: boolean;
  /** As if so many bytes waited for the reader. */
  backlogBytes: number;
  close(): Promise<void>;
}

export class SimApiListener implements ApiListenerPort {
  #handle: ((request: ApiRequest) => Promise<ApiAnswer>) | undefined;
  #limit = { bodyBytesMax: 0, tooLarge: (): ApiAnswer => ({ kind: 'whole', status: 413, headers: {}, body: '' }) };

  async listen(
    address: { readonly host: string; readonly port: number }, _tls: ApiTls, handle: (request: ApiRequest) => Promise<ApiAnswer>,
    limit: { readonly bodyBytesMax: number; tooLarge(): ApiAnswer },
  ): Promise<Result<Stoppable & { readonly port: number }, ListenFault>> {
    this.#handle = handle;
    this.#limit = limit;
    return ok({ port: address.port, stop: async () => void (this.#handle = undefined) });
  }

  async request(call: SimApiCall): Promise<SimApiAnswer> {
    const answer = await this.#answer(call);
    if (answer.kind === 'upstream') return { status: 200, headers: {}, body: JSON.stringify(answer.to) };
    if (answer.kind === 'stream') throw new Error('the answer goes on: use stream()');
    return { status: answer.status, headers: answer.headers, body: typeof answer.body === 'string' ? answer.body : new TextDecoder().decode(answer.body) };
  }

  /** @param heard is told each line when it is written, and the end */
  async stream(call: SimApiCall, heard: { line?(line: string): void; end?(): void } = {}): Promise<SimApiStream> {
    const answer = await this.#answer(call);
    if (answer.kind !== 'stream') throw new Error(`not a stream: ${JSON.stringify(answer)}`);
    const lines: string[] = [];
    const state = { ended: false, backlogBytes: 0 };
    const running = answer.begin({
      write: (text) => {
        for (const line of text.split('\n').filter((each) => each !== '')) {
          lines.push(line);
          heard.line?.(line);
        }
        return state.backlogBytes;
      },
      end: () => {
        state.ended = true;
        heard.end?.();
      },
    });
    return {
      status: answer.status, lines,
      get ended() {
        return state.ended;
      },
      get backlogBytes() {
        return state.backlogBytes;
      },
      set backlogBytes(bytes) {
        state.backlogBytes = bytes;
      },
      close: () => running.stop(),
    };
  }

  async #answer({ method, url, headers = {}, body, client }: SimApiCall): Promise<ApiAnswer> {
    if (this.#handle === undefined) throw new Error('nobody listens');
    const [path = '/', rawQuery = ''] = url.split('?', 2);
    const bytes = bytesOf(body);
    if (bytes.byteLength > this.#limit.bodyBytesMax) return this.#limit.tooLarge();
    const named = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers };
    return this.#handle({ method, path: decodeURIComponent(path), query: new Map(new URLSearchParams(rawQuery)), rawQuery, headers: named, body: bytes, client, upgrade: false });
  }
}

function bytesOf(body: unknown): Uint8Array {
  if (body === undefined) return new Uint8Array();
  if (body instanceof Uint8Array) return body;
  return new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
}
