// Logs, commands, terminals and ports of real containers, over a real broker.
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mqletDialect } from '../../src/bus/dialects/mqlet/mqlet-dialect.ts';
import type { ExecRequest, NodeStream, StreamRequest } from '../../src/ports/node-streams-port.ts';
import { eventually, nodeName, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

const place = { namespace: 'default', pod: 'web', container: 'app' };
const script = 'i=0; while [ $i -lt 1000 ]; do echo "line $i"; i=$((i+1)); done; echo err >&2; (while true; do echo -e "HTTP/1.0 200 OK\\r\\n\\r\\nhello" | nc -l -p 8080; done) & while true; do sleep 1; done';

interface Gathered {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exitCode: number | undefined;
  readonly fault: string | undefined;
}

async function gather(stream: NodeStream): Promise<Gathered> {
  const parts = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  for (;;) {
    const event = await stream.read();
    if (event.kind === 'data' && (event.lane === 'stdout' || event.lane === 'stderr')) parts[event.lane].push(event.bytes);
    if (event.kind === 'ended') return { stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr), exitCode: event.exitCode, fault: event.fault?.message };
  }
}

describe('streams of a real node', () => {
  let node: RealNode;

  const open = async (request: StreamRequest): Promise<NodeStream> => {
    const opened = await node.cloud.streams.open(nodeName, request);
    if (!opened.ok) throw new Error(opened.fault.message);
    return opened.value;
  };
  const exec = (command: readonly string[], options: Partial<ExecRequest> = {}) =>
    open({ kind: 'exec', ...place, command, stdin: false, stdout: true, stderr: true, tty: false, ...options });

  beforeAll(async () => {
    node = await startRealNode({ dialect: () => mqletDialect({ rootTopic: 'fleet', nodeName, software: 'test' }) });
    await eventually('the node', () => node.cloud.nodes().length === 1);
    node.cloud.applyPod(shellPod('web', script));
    await eventually('the pod runs', () => node.pod('web')?.status?.phase === 'Running');
  });

  afterAll(() => node?.stop());

  it('given a command, when it ends, then its output and exit code are told', async () => {
    expect(await gather(await exec(['sh', '-c', 'echo out; echo err >&2; exit 7']))).toEqual({ stdout: Buffer.from('out\n'), stderr: Buffer.from('err\n'), exitCode: 7, fault: undefined });
  });

  it('given a command that reads, when its input ends, then it ends', async () => {
    const stream = await exec(['wc', '-c'], { stdin: true });
    await stream.write('stdin', Buffer.from('four'));
    stream.finish('stdin');
    expect((await gather(stream)).stdout.toString().trim()).toBe('4');
  });

  it('given a terminal, when its size changes, then the command sees it', async () => {
    const stream = await exec(['sh'], { stdin: true, stderr: false, tty: true });
    await stream.write('resize', Buffer.from('{"Width":123,"Height":45}'));
    await stream.write('stdin', Buffer.from('sleep 0.2; stty size; exit 3\n'));
    const { stdout, exitCode } = await gather(stream);
    expect(stdout.toString()).toContain('45 123');
    expect(exitCode).toBe(3);
  });

  it('given a container that is not there, when a command is asked for, then it is refused', async () => {
    const opened = await node.cloud.streams.open(nodeName, { kind: 'exec', ...place, container: 'no', command: ['x'], stdin: false, stdout: true, stderr: true, tty: false });
    expect(opened).toMatchObject({ ok: false, fault: { code: 500, message: 'container not found ("no")' } });
  });

  it('given a log, when its last lines are asked for, then they come', async () => {
    await eventually('the log', () => true);
    const { stdout } = await gather(await open({ kind: 'logs', ...place, tailLines: 3 }));
    expect(stdout.toString().split('\n').filter((line) => line.startsWith('line'))).toEqual(['line 998', 'line 999']);
  });

  it('given a port of the pod, when it is forwarded, then what listens there answers', async () => {
    const stream = await open({ kind: 'portForward', namespace: 'default', pod: 'web', port: 8080 });
    await stream.write('stdin', Buffer.from('GET / HTTP/1.0\r\n\r\n'));
    expect((await gather(stream)).stdout.toString()).toContain('hello');
  });

  it('given 50 MB, when they are copied there and back, then they arrive intact', async () => {
    const content = randomBytes(50_000_000);
    const sum = createHash('sha256').update(content).digest('hex');
    const startMs = performance.now();
    const up = await exec(['sh', '-c', 'cat > /tmp/big; sha256sum /tmp/big'], { stdin: true });
    const said = gather(up);
    for (let at = 0; at < content.length; at += 32_768) await up.write('stdin', content.subarray(at, at + 32_768));
    up.finish('stdin');
    expect((await said).stdout.toString().slice(0, 64)).toBe(sum);
    const upMs = performance.now() - startMs;
    const { stdout } = await gather(await exec(['cat', '/tmp/big']));
    expect(createHash('sha256').update(stdout).digest('hex')).toBe(sum);
    console.log('up MB/s', 50_000 / upMs, 'down MB/s', 50_000 / (performance.now() - startMs - upMs));
  });
});
