// What every StreamRuntimePort must do, the simulated and the real one: run on each by its own test.
import { expect, it } from 'vitest';
import type { ContainerId } from '../../src/ports/pod-types.ts';
import type { PipeOptions, RuntimePipe, StreamRuntimePort } from '../../src/ports/stream-runtime-port.ts';

export interface StreamRuntimeWorld {
  readonly pipes: StreamRuntimePort;
  readonly running: ContainerId;
}

const both: PipeOptions = { stdin: true, stdout: true, stderr: false, tty: false };
const out: PipeOptions = { ...both, stdin: false };

async function hear(pipe: RuntimePipe): Promise<{ readonly bytes: Buffer; readonly exitCode: number | undefined; readonly isFault: boolean }> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const event = await pipe.read();
    if (event.kind === 'ended') return { bytes: Buffer.concat(parts), exitCode: event.exitCode, isFault: event.message !== undefined };
    parts.push(event.bytes);
  }
}

/** Programs: `echo`, `cat`, `wc -c`, and one that is nowhere. */
export function streamRuntimeContract(world: () => StreamRuntimeWorld): void {
  const exec = async (command: readonly string[], options: PipeOptions): Promise<RuntimePipe> => {
    const opened = await world().pipes.exec(world().running, command, options);
    if (!opened.ok) throw new Error(opened.fault.message);
    return opened.value;
  };

  it('given a command, when it ends, then its output comes, then its exit code, and that again', async () => {
    const pipe = await exec(['echo', 'hello'], out);
    expect(await hear(pipe)).toEqual({ bytes: Buffer.from('hello\n'), exitCode: 0, isFault: false });
    expect(await pipe.read()).toMatchObject({ kind: 'ended', exitCode: 0 });
  });

  it('given a command that reads, when its input ends, then it has read all', async () => {
    const pipe = await exec(['wc', '-c'], both);
    const heard = hear(pipe);
    for (let each = 0; each < 20; each += 1) expect(await pipe.write(new Uint8Array(10_000))).toBe(true);
    pipe.finish();
    expect((await heard).bytes.toString().trim()).toBe('200000');
  });

  it('given a command that answers, when it is written to and read in turns, then it answers', async () => {
    const pipe = await exec(['cat'], both);
    for (const text of ['one', 'two']) {
      await pipe.write(Buffer.from(text));
      const event = await pipe.read();
      expect(event.kind === 'data' && [event.lane, Buffer.from(event.bytes).toString()]).toEqual(['stdout', text]);
    }
    pipe.close();
  });

  it('given a pipe that is closed, when it is written to, then nobody takes it', async () => {
    const pipe = await exec(['cat'], both);
    pipe.close();
    pipe.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await pipe.write(Buffer.from('late'))).toBe(false);
    expect((await hear(pipe)).bytes.length).toBe(0);
  });

  it('given a program that is nowhere, when it is to run, then that is told', async () => {
    const opened = await world().pipes.exec(world().running, ['no-such-program'], out);
    if (opened.ok) expect((await hear(opened.value)).isFault).toBe(true);
  });

  it('given a container that is nowhere, when a command is to run in it, then it is not found', async () => {
    const opened = await world().pipes.exec('0000000000000000' as ContainerId, ['echo'], out); // Nobody's.
    expect(opened).toMatchObject({ ok: false, fault: { kind: 'not-found' } });
  });
}
