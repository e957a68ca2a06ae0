// The agent of a demo: the real `mqlet run` as a child process, started as in production, asked over its admin socket.
import http from 'node:http';
import path from 'node:path';
import type { PodsAnswer } from '../ports/admin-answers.ts';
import type { LogPort } from '../ports/log-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { logTail, startLongRunning, waitUntil, type LongRunning } from './child-process.ts';
import type { PartFault } from './part-fault.ts';
import type { PodRow } from './table.ts';

const readyMsMax = 20_000;
const answerMsMax = 3_000;
/** The agent promises to be gone within 5 s. */
const endGraceMs = 8_000;
const tailLines = 15;

export interface DemoAgent extends Stoppable {
  readonly pid: number;
  readonly logPath: string;
  /** The admin API's unix socket. */
  readonly socketPath: string;
  running(): boolean;
  /** How it ended, in one line. */
  readonly exited: Promise<string>;
  /** The pods as the agent sees them; undefined when it does not answer. */
  pods(): Promise<readonly PodRow[] | undefined>;
  /** Where its inspector is served, with the token; undefined when it is not. */
  inspectorUrl(): Promise<string | undefined>;
}

export interface AgentPlaces {
  /** `bin/mqlet` */
  readonly launcher: string;
  readonly rootDirectory: string;
  readonly manifestDirectory: string;
  readonly podLogsDirectory: string;
  readonly logPath: string;
}

/** Starts the agent and waits until its admin API answers. */
export async function startAgent(options: {
  readonly places: AgentPlaces;
  readonly nodeName: string;
  readonly runtimeEndpoint: string;
  /** Undefined: pods stay where the runtime places them. */
  readonly cgroupRoot: string | undefined;
  readonly brokerUrl: string;
  readonly mqttRootTopic: string;
  readonly log: LogPort;
}): Promise<Result<DemoAgent, PartFault>> {
  const { places } = options;
  const child = startLongRunning({
    program: places.launcher,
    args: [
      'run',
      '--hostname-override', options.nodeName,
      '--root-dir', places.rootDirectory,
      '--pod-manifest-path', places.manifestDirectory,
      '--pod-logs-dir', places.podLogsDirectory,
      '--container-runtime-endpoint', options.runtimeEndpoint,
      ...(options.cgroupRoot === undefined ? ['--cgroups-per-qos=false'] : ['--cgroup-root', options.cgroupRoot]),
      '--mqtt-url', options.brokerUrl,
      '--mqtt-root-topic', options.mqttRootTopic,
      // A nearly full disk is no reason to refuse the samples, nor to throw out images of whoever tries them.
      '--eviction-hard=',
      // Another agent of this machine may have the usual ports.
      '--healthz-port', '0',
      '--inspector=127.0.0.1:0',
    ],
    logPath: places.logPath,
  });
  const socketPath = path.join(places.rootDirectory, 'mqlet.sock');
  const agent = agentHandle(child, socketPath, options.log);
  const ready = await waitUntil({ ask: () => agent.pods(), timeoutMs: readyMsMax, everyMs: 50, stillPossible: child.running });
  if (ready !== undefined) {
    options.log.info('agent.started', { pid: child.pid });
    return ok(agent);
  }
  const message = child.running() ? `its admin API does not answer after ${readyMsMax / 1000} s` : `it ended at once: ${await child.exited}`;
  await agent.stop();
  return fail({ part: 'agent', message, tail: logTail(places.logPath, tailLines) });
}

function agentHandle(child: LongRunning, socketPath: string, log: LogPort): DemoAgent {
  return {
    pid: child.pid,
    logPath: child.logPath,
    socketPath,
    running: child.running,
    exited: child.exited,
    pods: async () => {
      const answer = await getJson(socketPath, '/v1/pods');
      return isPodsAnswer(answer) ? answer.items.map(toRow) : undefined;
    },
    inspectorUrl: async () => {
      const answer = await getJson(socketPath, '/v1/inspector');
      return typeof answer === 'object' && answer !== null && 'url' in answer && typeof answer.url === 'string' ? answer.url : undefined;
    },
    stop: async () => {
      await child.end({ graceMs: endGraceMs });
      log.info('agent.stopped', { how: await child.exited });
    },
  };
}

/** One GET over a unix socket. @returns undefined when nobody answers, or not with JSON and 200 */
function getJson(socketPath: string, resource: string): Promise<unknown> {
  return new Promise((resolve) => {
    const request = http.get({ socketPath, path: resource, timeout: answerMsMax, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text: string) => (body += text));
      answer.on('error', () => resolve(undefined));
      answer.on('end', () => resolve(answer.statusCode === 200 ? parseJson(body) : undefined));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The agent is our own program: that there is a list tells that it is the answer we know. */
function isPodsAnswer(answer: unknown): answer is PodsAnswer {
  return typeof answer === 'object' && answer !== null && 'items' in answer && Array.isArray(answer.items);
}

function toRow({ namespace, name, source, status, readyContainers, containers, restarts, ip, createdAtMs }: PodsAnswer['items'][number]): PodRow {
  return { namespace, name, source, state: status, ready: `${readyContainers}/${containers}`, restarts, ip, createdAtMs };
}
