// ProbePort's twin: every question is answered after a short virtual while, with success unless the world was told otherwise.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { GrpcHealth, GrpcQuestion, HttpQuestion, HttpReply, ProbeFault, ProbePort, TcpQuestion } from '../../ports/probe-port.ts';
import { ok, type Result } from '../../ports/result.ts';

/** Of a question on the machine itself, in milliseconds. */
const answerMs = 2;

type Asked = { readonly host: string; readonly port: number };

export class SimProbes implements ProbePort {
  readonly #clock: ClockPort;
  /** Questions put so far, for tests that count them. */
  asked = 0;
  /** What is answered instead of success; set by tests. */
  answer: ((asked: Asked) => Result<HttpReply, ProbeFault>) | undefined;

  constructor({ clock }: { readonly clock: ClockPort }) {
    this.#clock = clock;
  }

  http(question: HttpQuestion): Promise<Result<HttpReply, ProbeFault>> {
    return this.#ask(question);
  }

  async tcp(question: TcpQuestion): Promise<Result<void, ProbeFault>> {
    const answer = await this.#ask(question);
    return answer.ok ? ok() : answer;
  }

  async grpc(question: GrpcQuestion): Promise<Result<GrpcHealth, ProbeFault>> {
    const answer = await this.#ask(question);
    if (!answer.ok) return answer;
    return ok(answer.value.status < 400 ? 'SERVING' : 'NOT_SERVING');
  }

  #ask(asked: Asked): Promise<Result<HttpReply, ProbeFault>> {
    this.asked += 1;
    const reply = this.answer?.(asked) ?? ok({ status: 200, body: '', leftHost: false });
    return new Promise((resolve) => { this.#clock.setTimeout(() => resolve(reply), answerMs); });
  }
}
