// The node the corpus runs on: images that tell their users, working directories and entry points apart, a cluster DNS, labels,
// seccomp profiles, and a TLS server on the host for probes.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { hostname } from 'node:os';
import path from 'node:path';
import { demoImageSources } from '../../../src/demo/demo-images.ts';
import type { ImageSource } from '../../../src/demo/oci-archive.ts';
import { busyboxImage } from '../containerd.ts';
import { eventually, type RealNode, startRealNode } from '../real-node.ts';

const noMkdir = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }] };

export interface CorpusNode {
  readonly node: RealNode;
  /** What stands for `@NAME@` in the cases. */
  readonly values: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function startCorpusNode(): Promise<CorpusNode> {
  const node = await startRealNode({
    images: await corpusImages(),
    labels: { zone: 'north', 'example.com/disk': 'flash' },
    node: { clusterDns: ['10.96.0.10'], clusterDomain: 'cluster.local', resolvConf: { servers: ['192.0.2.53'], searches: ['site.example'], options: ['timeout:2'] } },
  });
  const profiles = path.join(node.fixture.directory, 'root', 'seccomp', 'strict');
  mkdirSync(profiles, { recursive: true });
  writeFileSync(path.join(profiles, 'no-mkdir.json'), JSON.stringify(noMkdir));
  await eventually('the node registers', () => node.cloud.nodes()[0]);
  const tls = await startTls(node.fixture.directory);
  return {
    node,
    values: {
      TLS_PORT: String(tls.port), HOSTNAME: hostname(),
      CAPABILITIES: /CapEff:\s+([0-9a-f]+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '',
      NET_NAMESPACE: readlinkSync('/proc/self/ns/net'), PID_NAMESPACE: readlinkSync('/proc/self/ns/pid'), IPC_NAMESPACE: readlinkSync('/proc/self/ns/ipc'),
    },
    stop: async () => {
      tls.stop();
      await node.stop();
    },
  };
}

/** `mqlet.local/told:1` says what it was started with; the others differ in their user. */
async function corpusImages(): Promise<readonly ImageSource[]> {
  const sources = await demoImageSources();
  const busybox = sources.ok ? sources.value.find(({ name }) => name === busyboxImage) : undefined;
  if (busybox === undefined) throw new Error('busybox cannot be had');
  return [
    {
      ...busybox, name: 'mqlet.local/told:1', entrypoint: ['/bin/busybox', 'echo', 'entrypoint'], command: ['command', 'of', 'image'],
      environment: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'FROM_IMAGE=yes'], workingDirectory: '/var/www', stopSignal: 'SIGUSR1',
    },
    { ...busybox, name: 'mqlet.local/numbered:1', user: '1234' },
    { ...busybox, name: 'mqlet.local/named:1', user: 'nobody' },
  ];
}

async function startTls(directory: string): Promise<{ readonly port: number; stop(): void }> {
  const [key, certificate] = [path.join(directory, 'tls.key'), path.join(directory, 'tls.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=nobody', '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  const server = https.createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    response.writeHead(request.url === '/fine' ? 200 : 500).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the TLS server has no port');
  return { port: address.port, stop: () => { server.close(); server.closeAllConnections(); } };
}
