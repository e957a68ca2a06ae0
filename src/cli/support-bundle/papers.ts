// What of a node goes into a support bundle, each as a text, and why something does not.
import http from 'node:http';
import { runProgram } from '../../adapters/doctor/run-program.ts';
import { SystemTree } from '../../adapters/doctor/system-tree.ts';
import { connectCri } from '../../adapters/cri/cri-client.ts';
import { NodeFiles } from '../../adapters/node-files.ts';
import { readSettingsFile } from '../../adapters/settings-file.ts';
import { SystemClock } from '../../adapters/system-clock.ts';
import type { Config } from '../../config.ts';
import { redactConfig, redactPods } from '../../doctor/redact.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { SecretMask } from '../../replay/secret-mask.ts';
import { version } from '../../version.ts';
import { adminClient } from '../admin-client.ts';
import { isRefusal } from '../refusal.ts';

const callTimeoutMs = 10_000;
const journalLines = '2000';
const metricsBytesMax = 4 * 1_024 * 1_024;
const recordingBytesMax = 16 * 1_024 * 1_024;
const silent: LogPort = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export interface Paper {
  /** File name in the bundle. */
  readonly name: string;
  readonly text: string;
}

export interface Papers {
  readonly papers: readonly Paper[];
  /** What could not be had, with the reason. */
  readonly missing: readonly string[];
}

export interface PapersOptions {
  readonly config: Config;
  readonly configFile: string | undefined;
  readonly environmentPath: string;
  /** Known values go before anything is cut out by its name, which may leave parts of them. */
  readonly mask: SecretMask;
  readonly withRecording: boolean;
}

type Attempt = { readonly name: string; readonly take: () => Promise<string | undefined> };

/** Those whose text cannot be had are named; those that do not apply answer undefined. */
export async function gatherPapers({ config, configFile, environmentPath, mask, withRecording }: PapersOptions): Promise<Papers> {
  const admin = adminClient(config.adminSocket);
  const attempts: readonly Attempt[] = [
    { name: 'version.txt', take: async () => `mqlet ${version}, Node.js ${process.version}\n` },
    { name: 'config.yaml', take: async () => (configFile === undefined ? undefined : configText(configFile, mask)) },
    { name: 'node.json', take: async () => json(await admin.node()) },
    { name: 'pods.json', take: async () => json(redactPods(await admin.pods({ full: true, why: true }), (text) => mask.text(text))) },
    { name: 'events.json', take: async () => json(await admin.events()) },
    { name: 'metrics.txt', take: async () => (config.healthzPort === 0 ? undefined : metrics(config)) },
    { name: 'runtime.json', take: () => runtimeText(config.containerRuntimeEndpoint) },
    { name: 'files.txt', take: () => listing(config.rootDir) },
    ...['mqlet', 'containerd'].map((unit) => ({ name: `journal-${unit}.txt`, take: () => journal(unit, environmentPath) })),
    { name: 'recording.jsonl', take: async () => (config.record === '' || !withRecording ? undefined : recording(config)) },
  ];
  const papers: Paper[] = [];
  const missing: string[] = [];
  for (const { name, take } of attempts) {
    try {
      const text = await take();
      if (text !== undefined) papers.push({ name, text });
    } catch (error) {
      if (!(error instanceof Missing) && !isRefusal(error)) throw error;
      missing.push(`${name}: ${error.message}`);
    }
  }
  return { papers, missing };
}

/** Why a paper cannot be had. */
class Missing extends Error {}

function json(value: object): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

function configText(file: string, mask: SecretMask): string {
  const text = readSettingsFile(file);
  if (!text.ok) throw new Missing(`${file}: ${text.fault.message}`);
  return redactConfig(mask.text(text.value));
}

function metrics({ healthzBindAddress: host, healthzPort: port }: Config): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host, port, path: '/metrics', timeout: callTimeoutMs, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        if (text.length < metricsBytesMax) text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', (error) => reject(new Missing(`http://${host}:${port}/metrics: ${error.message}`)));
  });
}

async function runtimeText(endpoint: string): Promise<string> {
  const { runtime, images, close } = connectCri({ endpoint, clock: new SystemClock(), log: silent, callTimeoutMs });
  try {
    const runtimeVersion = await runtime.version();
    if (!runtimeVersion.ok) throw new Missing(`${endpoint}: ${runtimeVersion.fault.message}`);
    const [conditions, sandboxes, containers, imageList] = await Promise.all([runtime.status(), runtime.listSandboxes(), runtime.listContainers(), images.list()]);
    return json({ version: runtimeVersion.value, conditions, sandboxes, containers, images: imageList });
  } finally {
    await close();
  }
}

/** Names, sizes and times; no content. */
async function listing(directory: string): Promise<string> {
  const files = new NodeFiles();
  const lines: string[] = [];
  const waiting = [''];
  for (let below = waiting.shift(); below !== undefined; below = waiting.shift()) {
    const listed = await files.list(`${directory}${below}`);
    if (!listed.ok && below === '') throw new Missing(`${directory}: ${listed.fault.message}`);
    for (const { name, kind, sizeBytes, modifiedAtMs } of listed.ok ? listed.value : []) {
      lines.push(`${new Date(modifiedAtMs).toISOString()} ${String(sizeBytes).padStart(10)} ${below}/${name}${kind === 'directory' ? '/' : ''}`);
      // What lies in volumes is the pods'.
      if (kind === 'directory' && !`${below}/${name}`.startsWith('/pods/') && !`${below}/${name}`.startsWith('/memory')) waiting.push(`${below}/${name}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

async function journal(unit: string, environmentPath: string): Promise<string | undefined> {
  const program = new SystemTree().program('journalctl', environmentPath);
  if (program === undefined) return undefined;
  const { output, complaint } = await runProgram(program, ['--unit', unit, '--lines', journalLines, '--no-pager', '--quiet', '--output', 'short-iso']);
  if (output === '') throw new Missing(complaint === '' ? `the journal has nothing of ${unit}` : complaint);
  return output;
}

async function recording({ record, recordSecrets }: Config): Promise<string> {
  if (recordSecrets) throw new Missing(`${record} holds the values of secrets (--record-secrets)`);
  const read = await new NodeFiles().readEnd(record, { bytesMax: recordingBytesMax });
  if (!read.ok) throw new Missing(`${record}: ${read.fault.message}`);
  return new TextDecoder().decode(read.value);
}
