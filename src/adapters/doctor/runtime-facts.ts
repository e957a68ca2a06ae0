// Facts of the container runtime: how far one gets on its socket, and what it says. Starts nothing, pulls nothing.
import net from 'node:net';
import type { CgroupDriver } from '../../ports/cgroups-port.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { RuntimeConfigFile, RuntimeFacts, RuntimeReach } from '../../ports/doctor-facts.ts';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { Result } from '../../ports/result.ts';
import { type CriConnection, connectCri } from '../cri/cri-client.ts';
import { errorCode } from '../files/node-file-faults.ts';
import { readCriSetup } from './cri-setup.ts';
import type { SystemTree } from './system-tree.ts';

/** One question; a runtime that takes longer is stuck. */
const callTimeoutMs = 10_000;
const connectTimeoutMs = 3_000;
const programsLookedFor = ['containerd', 'crio', 'runc', 'crun'] as const;
const containerdConfig = '/etc/containerd/config.toml';

export interface RuntimeFactsOptions {
  readonly endpoint: string;
  readonly cgroupDriver: CgroupDriver;
  readonly tree: SystemTree;
  readonly clock: ClockPort;
  readonly log: LogPort;
  /** PATH of the environment. */
  readonly environmentPath: string;
}

export async function readRuntimeFacts(options: RuntimeFactsOptions): Promise<RuntimeFacts> {
  const { endpoint, cgroupDriver, tree } = options;
  const configFile = configFileOf(tree.text(containerdConfig));
  const common = { endpoint, ownCgroupDriver: cgroupDriver, conditions: [], programs: programsOf(options, programsLookedFor), ...(configFile === undefined ? {} : { configFile }) };
  const knock = await knockOn(endpoint);
  if (knock !== undefined) return { ...common, ...knock };
  const cri = connectCri({ endpoint, clock: options.clock, log: options.log, callTimeoutMs });
  const asked = await askRuntime(cri, endpoint);
  await cri.close();
  const runcBinary = asked.setup?.runcBinary;
  return { ...common, ...asked, programs: [...common.programs, ...(runcBinary === undefined ? [] : programsOf(options, [runcBinary]))] };
}

function programsOf({ tree, environmentPath }: RuntimeFactsOptions, names: readonly string[]): readonly string[] {
  return names.filter((name) => tree.program(name, environmentPath) !== undefined);
}

type Asked = Pick<RuntimeFacts, 'reach' | 'message' | 'conditions'> & Partial<RuntimeFacts>;

async function askRuntime({ runtime, images }: CriConnection, endpoint: string): Promise<Asked> {
  const version = await runtime.version();
  if (!version.ok) return { reach: reachOf(version.fault), message: version.fault.message, conditions: [] };
  const [status, driver, setup] = await Promise.all([runtime.status(), runtime.cgroupDriver(), readCriSetup(endpoint)]);
  if (!status.ok) return { reach: reachOf(status.fault), message: status.fault.message, conditions: [], version: version.value };
  const image = setup?.sandboxImage === undefined ? undefined : await images.status(setup.sandboxImage);
  return {
    reach: 'answers', message: '', version: version.value, conditions: status.value,
    ...(valueOf(driver) === undefined ? {} : { cgroupDriver: valueOf(driver) }),
    ...(setup === undefined ? {} : { setup }),
    ...(image?.ok === true ? { sandboxImagePresent: image.value !== undefined } : {}),
  } as Asked; // exactOptionalPropertyTypes: the spread above leaves out what is undefined
}

function valueOf<T>(answer: Result<T, RuntimeFault>): T | undefined {
  return answer.ok ? answer.value : undefined;
}

function reachOf(fault: RuntimeFault): RuntimeReach {
  switch (fault.kind) {
    case 'unimplemented': return 'no-cri';
    case 'timeout': return 'silent';
    default: return 'failed';
  }
}

/** @returns undefined when somebody takes the connection, or where the endpoint is no path */
function knockOn(endpoint: string): Promise<Pick<RuntimeFacts, 'reach' | 'message'> | undefined> {
  if (!endpoint.startsWith('unix://')) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const socket = net.connect({ path: endpoint.slice('unix://'.length), timeout: connectTimeoutMs });
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('timeout', () => {
      socket.destroy();
      resolve({ reach: 'silent', message: `no connection within ${connectTimeoutMs / 1_000} s` });
    });
    socket.once('error', (error) => resolve({ reach: knockReach(errorCode(error)), message: error.message }));
  });
}

function knockReach(code: string): RuntimeReach {
  switch (code) {
    case 'ENOENT': return 'missing';
    case 'ENOTSOCK': return 'no-socket';
    case 'EACCES':
    case 'EPERM': return 'not-permitted';
    case 'ECONNREFUSED': return 'refused';
    default: return 'failed';
  }
}

/** The one key that hides CRI, wherever its list is broken into lines. */
function configFileOf(toml: string | undefined): RuntimeConfigFile | undefined {
  if (toml === undefined) return undefined;
  const list = /^\s*disabled_plugins\s*=\s*\[([^\]]*)\]/m.exec(toml)?.[1] ?? '';
  return { path: containerdConfig, disabledPlugins: (list.match(/["'][^"']+["']/g) ?? []).map((one) => one.slice(1, -1)) };
}
