// Ports that die with the daemon that holds them: after its end no answer, no event and no timer reaches it, while the world
// behind them goes on. What it had asked for still happens.
import type { AgentPorts } from '../../src/agent/agent-world.ts';
import type { CgroupsPort } from '../../src/ports/cgroups-port.ts';
import type { ClockPort } from '../../src/ports/clock-port.ts';
import type { FilesPort } from '../../src/ports/files-port.ts';
import type { LogFilesPort } from '../../src/ports/log-files-port.ts';
import type { MqttHandlers, MqttPort } from '../../src/ports/mqtt-port.ts';
import type { ProbePort } from '../../src/ports/probe-port.ts';
import type { ImagesPort, RuntimeListener, RuntimePort } from '../../src/ports/runtime-port.ts';
import type { VolumesPort } from '../../src/ports/volumes-port.ts';
import { plainText } from '../../src/replay/trace.ts';

/** One run of the daemon. */
export class Life {
  alive = true;
  /** Timers that wait, by the clock's handle, with the name of their callback. */
  readonly timers = new Map<unknown, string>();
  /** Calls of the runtime and the image service that have not been answered, by number. */
  readonly calls = new Map<number, string>();
  #calls = 0;

  end(): void {
    this.alive = false;
  }

  begin(call: string): number {
    this.#calls += 1;
    this.calls.set(this.#calls, call);
    return this.#calls;
  }
}

/** Told of every call of the runtime and the images at its start and its end. */
export interface CallWatcher {
  began(method: string, args: readonly unknown[]): void;
  ended(method: string, args: readonly unknown[], answer: unknown): void;
}

export function mortalPorts(ports: AgentPorts, life: Life, watcher: CallWatcher): AgentPorts {
  return {
    ...ports,
    runtime: mortalRuntime(ports.runtime, life, watcher),
    images: watched(ports.images, 'images.', life, watcher),
    files: mortalFiles(ports.files, life),
    volumes: mortalVolumes(ports.volumes, life),
    ...(ports.cgroups === undefined ? {} : { cgroups: mortalCgroups(ports.cgroups, life) }),
    disk: { space: (path) => heard(life, ports.disk.space(path)) },
    logFiles: mortalLogFiles(ports.logFiles, life),
    probes: mortalProbes(ports.probes, life),
    clock: mortalClock(ports.clock, life),
    ...(ports.mqtt === undefined ? {} : { mqtt: { ...ports.mqtt, port: mortalMqtt(ports.mqtt.port, life) } }),
  };
}

function mortalRuntime(runtime: RuntimePort, life: Life, watcher: CallWatcher): RuntimePort {
  const calls = watched(runtime, '', life, watcher);
  const watch = (listener: RuntimeListener) => calls.watch({
    event: (event) => { if (life.alive) listener.event(event); },
    lost: (fault) => { if (life.alive) listener.lost(fault); },
  });
  return new Proxy(calls, { get: (target, name) => (name === 'watch' ? watch : Reflect.get(target, name)) });
}

/** All methods answer with promises: noted, and held back when nobody lives to hear them. */
function watched<Port extends RuntimePort | ImagesPort>(port: Port, prefix: string, life: Life, watcher: CallWatcher): Port {
  return new Proxy(port, {
    get(target, name) {
      // The proxy forwards whatever the port has; what it has, its type says.
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const method = `${prefix}${String(name)}`;
        const number = life.begin(`${method} ${plainText(args[0])}`);
        watcher.began(method, args);
        const answer: unknown = member.apply(target, args);
        if (!(answer instanceof Promise)) return answer;
        return heard(life, answer.then((value: unknown) => {
          life.calls.delete(number);
          if (life.alive) watcher.ended(method, args, value);
          return value;
        }));
      };
    },
  });
}

function mortalFiles(files: FilesPort, life: Life): FilesPort {
  return {
    list: (directory) => heard(life, files.list(directory)),
    read: (path, options) => heard(life, files.read(path, options)),
    readEnd: (path, options) => heard(life, files.readEnd(path, options)),
    makeFile: (path, options) => heard(life, files.makeFile(path, options)),
    writeAtomic: (path, content, options) => heard(life, files.writeAtomic(path, content, options)),
    append: (path, content, options) => heard(life, files.append(path, content, options)),
    makeDirectory: (path, options) => heard(life, files.makeDirectory(path, options)),
    removeFile: (path, options) => heard(life, files.removeFile(path, options)),
    removeTree: (path) => heard(life, files.removeTree(path)),
    usage: (path, options) => heard(life, files.usage(path, options)),
    watch: (path, changed) => files.watch(path, () => { if (life.alive) changed(); }),
  };
}

function mortalLogFiles(files: LogFilesPort, life: Life): LogFilesPort {
  return {
    sizeOf: (path) => heard(life, files.sizeOf(path)),
    rename: (from, to) => heard(life, files.rename(from, to)),
    link: (target, path) => heard(life, files.link(target, path)),
    compress: (from, to) => heard(life, files.compress(from, to)),
  };
}

function mortalVolumes(volumes: VolumesPort, life: Life): VolumesPort {
  return {
    mountMemory: (path, options) => heard(life, volumes.mountMemory(path, options)),
    mountHugePages: (path, options) => heard(life, volumes.mountHugePages(path, options)),
    writeContent: (directory, files, options) => heard(life, volumes.writeContent(directory, files, options)),
    checkHostPath: (path, type) => heard(life, volumes.checkHostPath(path, type)),
    bindSubPath: (request) => heard(life, volumes.bindSubPath(request)),
    giveToGroup: (path, options) => heard(life, volumes.giveToGroup(path, options)),
    writeInPlace: (path, content, options) => heard(life, volumes.writeInPlace(path, content, options)),
    unmountBelow: (path) => heard(life, volumes.unmountBelow(path)),
  };
}

function mortalCgroups(cgroups: CgroupsPort, life: Life): CgroupsPort {
  return {
    check: (driver, root) => heard(life, cgroups.check(driver, root)),
    apply: (path, limits) => heard(life, cgroups.apply(path, limits)),
    exists: (path) => heard(life, cgroups.exists(path)),
    list: (path) => heard(life, cgroups.list(path)),
    processes: (path) => heard(life, cgroups.processes(path)),
    memoryUsed: (path) => heard(life, cgroups.memoryUsed(path)),
    remove: (path, options) => heard(life, cgroups.remove(path, options)),
  };
}

function mortalClock(clock: ClockPort, life: Life): ClockPort {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    setTimeout: (callback, delayMs) => {
      const handle = clock.setTimeout(() => {
        life.timers.delete(handle);
        if (life.alive) callback();
      }, delayMs);
      life.timers.set(handle, `${callback.name || 'anonymous'} after ${delayMs} ms`);
      return handle;
    },
    clearTimeout: (handle) => {
      life.timers.delete(handle);
      clock.clearTimeout(handle);
    },
  };
}

function mortalProbes(probes: ProbePort, life: Life): ProbePort {
  return {
    http: (question) => heard(life, probes.http(question)),
    tcp: (question) => heard(life, probes.tcp(question)),
    grpc: (question) => heard(life, probes.grpc(question)),
  };
}

function mortalMqtt(mqtt: MqttPort, life: Life): MqttPort {
  const mortal = (handlers: MqttHandlers): MqttHandlers => ({
    message: (packet) => { if (life.alive) handlers.message(packet); },
    closed: (fault) => { if (life.alive) handlers.closed(fault); },
  });
  return {
    connect: (handlers, opening) => heard(life, mqtt.connect(mortal(handlers), opening)),
    subscribe: (filter, qos) => heard(life, mqtt.subscribe(filter, qos)),
    publish: (packet) => heard(life, mqtt.publish(packet)),
    disconnect: () => heard(life, mqtt.disconnect()),
  };
}

/** The answer, or never. */
function heard<T>(life: Life, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    answer.then((value) => { if (life.alive) resolve(value); }, (error: unknown) => { if (life.alive) reject(error); });
  });
}
