// The twin of a runtime's streaming server: a few programs that do what their namesakes do, and ports that answer what they are told.
// Programs: `cat`, `wc -c`, `exit CODE`, `yes BYTES`, `sink` (reads and says nothing), `size` (says each new size of its terminal).
import type { RuntimeFault } from '../../ports/faults.ts';
import type { ContainerId, SandboxId } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { PipeEvent, PipeOptions, RuntimePipe, StreamRuntimePort } from '../../ports/stream-runtime-port.ts';

type Answer<T> = Promise<Result<T, RuntimeFault>>;

/** Output that may wait for its reader; the program stops there, as one does whose pipe is full. */
const waitingMax = 8;
const pieceBytes = 16 * 1024;

export class SimPipes implements StreamRuntimePort {
  /** Containers that run; others are not found. */
  readonly running = new Set<string>();
  /** Pipes that nobody has ended. */
  readonly open = new Set<RuntimePipe>();

  exec(id: ContainerId, command: readonly string[], options: PipeOptions): Answer<RuntimePipe> {
    return Promise.resolve(this.#pipe(id, command, options));
  }

  attach(id: ContainerId, options: PipeOptions): Answer<RuntimePipe> {
    return Promise.resolve(this.#pipe(id, ['cat'], options));
  }

  forward(id: SandboxId, _port: number): Answer<RuntimePipe> {
    return Promise.resolve(this.#pipe(id, ['cat'], { stdin: true, stdout: true, stderr: false, tty: false }));
  }

  #pipe(id: string, command: readonly string[], options: PipeOptions): Result<RuntimePipe, RuntimeFault> {
    if (!this.running.has(id)) return fail({ kind: 'not-found', message: `no container ${id} runs` });
    const pipe = new SimPipe(command, options, () => this.open.delete(pipe));
    this.open.add(pipe);
    pipe.start();
    return ok(pipe);
  }
}

class SimPipe implements RuntimePipe {
  readonly #command: readonly string[];
  readonly #options: PipeOptions;
  readonly #over: () => void;
  readonly #waiting: PipeEvent[] = [];
  readonly #blocked: (() => void)[] = [];
  #reader: ((event: PipeEvent) => void) | undefined;
  #read = 0;
  #ended: PipeEvent | undefined;

  constructor(command: readonly string[], options: PipeOptions, over: () => void) {
    this.#command = command;
    this.#options = options;
    this.#over = over;
  }

  start(): void {
    const [program, argument = '0'] = this.#command;
    if (program === 'exit') this.#end({ exitCode: Number(argument) });
    else if (program === 'yes') void this.#yes(Number(argument));
    else if (program === 'echo') void this.#say(Buffer.from(`${this.#command.slice(1).join(' ')}\n`)).then(() => this.#end({ exitCode: 0 }));
    else if (!['cat', 'wc', 'sink', 'size'].includes(program ?? '')) this.#end({ message: `exec: "${program ?? ''}": executable file not found` });
    else if (!this.#options.stdin && program !== 'size') this.finish();
  }

  /** Bytes that count up, so that one that is missing shows. */
  async #yes(bytes: number): Promise<void> {
    for (let at = 0; at < bytes && this.#ended === undefined; at += pieceBytes) {
      const piece = Buffer.alloc(Math.min(pieceBytes, bytes - at));
      for (let index = 0; index < piece.length; index += 1) piece[index] = (at + index) % 251;
      await this.#say(piece);
    }
    this.#end({ exitCode: 0 });
  }

  #say(bytes: Uint8Array): Promise<void> {
    const event: PipeEvent = { kind: 'data', lane: 'stdout', bytes };
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) reader(event);
    else this.#waiting.push(event);
    return this.#waiting.length < waitingMax || this.#ended !== undefined ? Promise.resolve() : new Promise((resolve) => this.#blocked.push(resolve));
  }

  #end(how: Omit<Extract<PipeEvent, { readonly kind: 'ended' }>, 'kind'>): void {
    if (this.#ended !== undefined) return;
    this.#ended = { kind: 'ended', ...how };
    this.#over();
    if (this.#waiting.length > 0) return;
    this.#reader?.(this.#ended);
    this.#reader = undefined;
  }

  read(): Promise<PipeEvent> {
    const next = this.#waiting.shift();
    this.#blocked.shift()?.();
    if (next !== undefined) return Promise.resolve(next);
    if (this.#ended !== undefined) return Promise.resolve(this.#ended);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  async write(bytes: Uint8Array): Promise<boolean> {
    if (this.#ended !== undefined) return false;
    this.#read += bytes.length;
    // The giver may use his bytes again.
    if (this.#command[0] === 'cat') await this.#say(Uint8Array.from(bytes));
    return true;
  }

  finish(): void {
    if (this.#command[0] === 'wc') void this.#say(Buffer.from(`${this.#read}\n`));
    this.#end({ exitCode: 0 });
  }

  resize({ width, height }: { readonly width: number; readonly height: number }): void {
    if (this.#command[0] === 'size') void this.#say(Buffer.from(`${height} ${width}\n`));
  }

  close(): void {
    this.#waiting.length = 0;
    for (const resume of this.#blocked.splice(0)) resume();
    this.#end({ exitCode: 137 });
  }
}
