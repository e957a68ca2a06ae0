// What a runtime tells of its own configuration: CRI Status with `verbose`, whose `info` is the runtime's own JSON. Read with care: every
// runtime and version has other fields, and none is promised.
// @see CRI v1 api.proto, StatusResponse: map<string, string> info = 2
import { Client, credentials } from '@grpc/grpc-js';
import type { RuntimeSetup } from '../../ports/doctor-facts.ts';

const answerMsMax = 5_000;
/** StatusRequest { verbose: true } */
const verboseRequest = Buffer.from([0x08, 0x01]);

/** @returns undefined where nobody answers, or in no form that we know */
export function readCriSetup(endpoint: string): Promise<RuntimeSetup | undefined> {
  const client = new Client(endpoint, credentials.createInsecure());
  const asIs = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    client.makeUnaryRequest('/runtime.v1.RuntimeService/Status', asIs, asIs, verboseRequest, { deadline: Date.now() + answerMsMax }, (error, answer) => {
      client.close();
      resolve(error === null && answer !== undefined ? setupOf(infoOf(answer)) : undefined);
    });
  });
}

/** The map in field 2 of a StatusResponse, other fields passed over. What is cut off is left out. */
export function infoOf(message: Buffer): ReadonlyMap<string, string> {
  const info = new Map<string, string>();
  for (const { field, bytes } of fieldsOf(message)) {
    if (field !== 2) continue;
    const entry = fieldsOf(bytes);
    const text = (number: number): string => entry.find((one) => one.field === number)?.bytes.toString('utf8') ?? '';
    info.set(text(1), text(2));
  }
  return info;
}

/** Length-delimited fields of a protobuf message, in order. */
function fieldsOf(message: Buffer): readonly { readonly field: number; readonly bytes: Buffer }[] {
  const found: { readonly field: number; readonly bytes: Buffer }[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let weight = 1; at < message.length; weight *= 128) {
      const digit = message[at] ?? 0;
      at += 1;
      value += (digit & 0x7f) * weight;
      if ((digit & 0x80) === 0) break;
    }
    return value;
  };
  while (at < message.length) {
    const key = varint();
    const kind = key % 8;
    if (kind === 0) varint();
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else if (kind === 2) {
      const length = varint();
      found.push({ field: Math.floor(key / 8), bytes: message.subarray(at, at + length) });
      at += length;
    } else break;
  }
  return found;
}

/** containerd 1.6 to 2.x has `config` and `lastCNILoadStatus`; CRI-O has a `config` that is TOML. */
export function setupOf(info: ReadonlyMap<string, string>): RuntimeSetup {
  const config = parsed(info.get('config') ?? '');
  if (config === undefined) return crioSetup(info.get('config') ?? '');
  const cni = recordIn(config, 'cni');
  const containerd = recordIn(config, 'containerd');
  const runtime = recordIn(recordIn(containerd, 'runtimes'), textIn(containerd, 'defaultRuntimeName') ?? 'runc');
  const options = recordIn(runtime, 'options');
  const cniProblem = unquoted(info.get('lastCNILoadStatus'));
  const systemdCgroup = truthIn(options, 'SystemdCgroup') ?? truthIn(config, 'systemdCgroup');
  const sandboxImage = textIn(config, 'sandboxImage') ?? textIn(recordIn(config, 'pinnedImages'), 'sandbox');
  const binDirectories = [textsIn(cni, 'binDirs'), textIn(cni, 'binDir')].flat().filter((one) => one !== undefined);
  const runcBinary = textIn(options, 'BinaryName');
  const registries = textIn(recordIn(config, 'registry'), 'configPath');
  const rootDirectory = textIn(config, 'containerdRootDir');
  const [confDirectory, snapshotter] = [textIn(cni, 'confDir'), textIn(containerd, 'snapshotter')];
  return {
    ...(sandboxImage === undefined ? {} : { sandboxImage }),
    ...(confDirectory === undefined ? {} : { cniConfDirectory: confDirectory }),
    ...(binDirectories.length === 0 ? {} : { cniBinDirectories: [...new Set(binDirectories)] }),
    ...(systemdCgroup === undefined ? {} : { systemdCgroup }),
    ...(snapshotter === undefined ? {} : { snapshotter }),
    ...(runcBinary === undefined ? {} : { runcBinary }),
    ...(registries === undefined ? {} : { registryDirectories: registries.split(':').filter((one) => one !== '') }),
    ...(rootDirectory === undefined ? {} : { rootDirectory }),
    ...(cniProblem === undefined || cniProblem === 'OK' ? {} : { cniProblem }),
  };
}

/** The few lines of CRI-O's TOML that matter here. */
function crioSetup(toml: string): RuntimeSetup {
  const text = (key: string): string | undefined => new RegExp(`^\\s*${key}\\s*=\\s*"([^"]*)"`, 'm').exec(toml)?.[1];
  const [sandboxImage, confDirectory, manager] = [text('pause_image'), text('network_dir'), text('cgroup_manager')];
  const plugins = /^\s*plugin_dirs\s*=\s*\[([^\]]*)\]/m.exec(toml)?.[1]?.match(/"[^"]+"/g)?.map((one) => one.slice(1, -1).replace(/\/$/, ''));
  return {
    ...(sandboxImage === undefined ? {} : { sandboxImage }),
    ...(confDirectory === undefined ? {} : { cniConfDirectory: confDirectory.replace(/\/$/, '') }),
    ...(plugins === undefined ? {} : { cniBinDirectories: plugins }),
    ...(manager === undefined ? {} : { systemdCgroup: manager === 'systemd' }),
  };
}

type Json = Readonly<Record<string, unknown>>;

function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function unquoted(text: string | undefined): string | undefined {
  return text?.replace(/^"(.*)"$/s, '$1').replaceAll('\\"', '"');
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function recordIn(from: Json | undefined, name: string): Json | undefined {
  const value = from?.[name];
  return isJson(value) ? value : undefined;
}

function textIn(from: Json | undefined, name: string): string | undefined {
  const value = from?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function textsIn(from: Json | undefined, name: string): readonly string[] {
  const value = from?.[name];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

function truthIn(from: Json | undefined, name: string): boolean | undefined {
  const value = from?.[name];
  return typeof value === 'boolean' ? value : undefined;
}
