// Logs, commands, terminals and ports of real containers, over a real broker.
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mqletDialect } from '../../src/bus/dialects/mqlet/mqlet-dialect.ts';
import { criStreams } from '../../src/adapters/cri/cri-streams.ts';
import type { ContainerId } from '../../src/ports/pod-types.ts';
import type { ExecRequest, NodeStream, StreamRequest } from '../../src/ports/node-streams-port.ts';
import { streamRuntimeContract } from '../ports/stream-runtime-contract.ts';
import { eventually, nodeName, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

const place = { namespace: 'default', pod: 'web', container: 'app' };
const script = 'i=0; while [ $i -lt 1000 ]; do echo "line $i"; i=$((i+1)); done; (while true; do echo -e "HTTP/1.0 200 OK\\r\\n\\r\\nhello" | nc -l -p 8080; done) & while true; do sleep 1; done';

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

  describe('the streaming server of containerd', () => {
    streamRuntimeContract(() => {
      const [, id = ''] = (node.pod('web')?.status?.containerStatuses?.[0]?.containerID ?? '').split('://');
      return { pipes: criStreams(node.cri.streamUrls), running: id as ContainerId }; // As the runtime named it.
    });
  });

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
    const { stdout } = await gather(await open({ kind: 'logs', ...place, tailLines: 3 }));
    expect(stdout.toString()).toBe('line 997\nline 998\nline 999\n');
  });

  it('given a port of the pod, when it is forwarded, then what listens there answers', async () => {
    const stream = await open({ kind: 'portForward', namespace: 'default', pod: 'web', port: 8080 });
    await stream.write('stdin', Buffer.from('GET / HTTP/1.0\r\n\r\n'));
    expect((await gather(stream)).stdout.toString()).toContain('hello');
  });

  it('given a node that is asked what it runs and uses, when it answers, then the pod is there', async () => {
    const facts = async (what: 'pods' | 'summary' | 'resource') => (await gather(await open({ kind: 'facts', what }))).stdout.toString();
    expect(JSON.parse(await facts('pods'))).toMatchObject({ kind: 'PodList', items: [{ metadata: { name: 'web' }, status: { phase: 'Running' } }] });
    expect(JSON.parse(await facts('summary'))).toMatchObject({ node: { nodeName }, pods: [{ podRef: { name: 'web' }, containers: [{ name: 'app' }] }] });
    expect(await facts('resource')).toMatch(/container_memory_working_set_bytes\{container="app",namespace="default",pod="web"\} \d+/);
  });

  it('given 10 MB of logs, when they are followed from the beginning, then every line comes once', async () => {
    const lines = 100_000;
    node.cloud.applyPod(shellPod('chatty', `i=0; while [ $i -lt ${lines} ]; do echo "$i ${'x'.repeat(90)}"; i=$((i+1)); done; while true; do sleep 1; done`));
    await eventually('the pod runs', () => node.pod('chatty')?.status?.phase === 'Running');
    const stream = await open({ kind: 'logs', namespace: 'default', pod: 'chatty', container: 'app', follow: true });
    let text = '';
    let seen = 0;
    while (seen < lines) {
      const event = await stream.read();
      if (event.kind !== 'data') throw new Error(`ended after ${seen} lines`);
      const parts = (text + Buffer.from(event.bytes).toString('latin1')).split('\n');
      text = parts.pop() ?? '';
      for (const line of parts) {
        expect(line.length, line.slice(0, 20)).toBe(String(seen).length + 91);
        expect(Number(line.slice(0, line.indexOf(' ')))).toBe(seen);
        seen += 1;
      }
    }
    stream.close();
  });

  it('given 50 MB, when they are copied there and back, then they arrive intact', async () => {
    const content = randomBytes(50_000_000);
    const sum = createHash('sha256').update(content).digest('hex');
    const up = await exec(['sh', '-c', 'cat > /tmp/big; sha256sum /tmp/big'], { stdin: true });
    const said = gather(up);
    for (let at = 0; at < content.length; at += 32_768) await up.write('stdin', content.subarray(at, at + 32_768));
    up.finish('stdin');
    expect((await said).stdout.toString().slice(0, 64)).toBe(sum);
    const { stdout } = await gather(await exec(['cat', '/tmp/big']));
    expect(createHash('sha256').update(stdout).digest('hex')).toBe(sum);
  });
});
