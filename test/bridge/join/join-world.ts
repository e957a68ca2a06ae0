// Both halves of joining in one process, on virtual time: the real device, the real cloud side, a simulated broker between them that can be
// listened to, and files in memory.
import { JoinCertificates } from '../../../src/adapters/join-certificates.ts';
import { SeededRandom } from '../../../src/adapters/sim/seeded-random.ts';
import { SimBroker } from '../../../src/adapters/sim/sim-broker.ts';
import { SimFiles } from '../../../src/adapters/sim/sim-files.ts';
import { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';
import { JoinAnswers } from '../../../src/bridge/join/join-answers.ts';
import { joinAuthority } from '../../../src/bridge/join/join-authority.ts';
import { type JoinDesk, startJoinDesk } from '../../../src/bridge/join/join-desk.ts';
import { NodeLedger } from '../../../src/bridge/join/node-ledger.ts';
import { TokenStore, type TokenWish } from '../../../src/bridge/join/token-store.ts';
import { readToken } from '../../../src/bus/join/join-token.ts';
import { joinNode, type JoinNodeWish } from '../../../src/join/join-node.ts';
import { renewIdentity } from '../../../src/join/renew-identity.ts';
import type { ClockPort } from '../../../src/ports/clock-port.ts';
import type { JoinLinkPort } from '../../../src/ports/join-link-port.ts';
import type { MqttPacket } from '../../../src/ports/mqtt-port.ts';
import { ok } from '../../../src/ports/result.ts';
import { silentLog } from '../../support/silent-log.ts';

export const yearMs = 365 * 86_400_000;
export const rootTopic = 'fleet';
export const settingsFile = '/etc/mqlet/config.yaml';
const url = 'mqtts://broker.example:8884';
const nodeUrl = 'mqtts://broker.example:8883';

export class JoinWorld {
  readonly clock = new VirtualClock();
  readonly certificates = new JoinCertificates();
  readonly broker = new SimBroker({ clock: this.clock, random: new SeededRandom(1) });
  readonly cloudFiles = new SimFiles({ clock: this.clock });
  readonly deviceFiles = new SimFiles({ clock: this.clock });
  readonly brokerCa = this.certificates.makeAuthority('the broker\'s CA', { notBeforeMs: this.clock.nowMs() - yearMs, notAfterMs: this.clock.nowMs() + 20 * yearMs });
  /** Whatever passes on topics of joining, in order. */
  readonly heard: MqttPacket[] = [];
  /** Certificates that whoever answers at the broker's address shows. */
  shown: readonly string[] = [this.brokerCa.cert];
  readonly #parts: { tokens: TokenStore; ledger: NodeLedger; desk: JoinDesk }[] = [];
  #deviceClock: ClockPort = this.clock;

  async start(): Promise<this> {
    const deps = { files: this.cloudFiles, clock: this.clock, certificates: this.certificates, directory: '/bridge/join' };
    const authority = await this.run(joinAuthority(deps));
    if (!authority.ok) throw new Error(authority.fault);
    const tokens = new TokenStore({ ...deps, chance: () => this.certificates.secret() });
    const ledger = new NodeLedger({ ...deps, authority: authority.value });
    const terms = { certificateMs: yearMs, url: nodeUrl, serverName: '', brokerAuthority: '', rootTopic };
    const answers = new JoinAnswers({ ...deps, tokens, ledger, authority: authority.value, log: silentLog, terms });
    const desk = startJoinDesk({ mqtt: this.broker.port({ clientId: 'desk' }), clock: this.clock, log: silentLog, rootTopic, answers });
    this.#parts.push({ tokens, ledger, desk });
    const ear = this.broker.port({ clientId: 'eavesdropper' });
    await this.run(ear.connect({ message: (packet) => void this.heard.push(packet), closed: () => undefined }));
    await this.run(ear.subscribe('#', 1));
    await this.run(desk.ready);
    return this;
  }

  get tokens(): TokenStore {
    return this.#current().tokens;
  }

  get ledger(): NodeLedger {
    return this.#current().ledger;
  }

  /** Another process in the place of the bridge: what was only in memory is gone. */
  async restartCloud(): Promise<void> {
    await this.run(this.#current().desk.stop());
    await this.start();
  }

  /** The device's wall clock is off by so much. */
  deviceClockOff(byMs: number): void {
    const { clock } = this;
    this.#deviceClock = { nowMs: () => clock.nowMs() + byMs, monotonicMs: () => clock.monotonicMs(), setTimeout: (call, ms) => clock.setTimeout(call, ms), clearTimeout: (timer) => clock.clearTimeout(timer) };
  }

  async token(wish: Partial<TokenWish> = {}): Promise<string> {
    const made = await this.run(this.tokens.create({ lifeMs: 3_600_000, node: '', description: '', ...wish }));
    if (!made.ok) throw new Error(made.fault);
    return made.value.token;
  }

  wish(token: string, part: Partial<JoinNodeWish> = {}): JoinNodeWish {
    const pin = this.certificates.details(this.brokerCa.cert)?.keyHash ?? '';
    const read = readToken(token);
    if (read === undefined) throw new Error('no token');
    return { url, address: { host: 'broker.example', port: 8_884, serverName: 'broker.example' }, pins: [pin], token: read, nodeName: 'edge-07', rootTopic, again: false, ...part };
  }

  join(token: string, part: Partial<JoinNodeWish> = {}) {
    const deps = { link: this.link(), clock: this.#deviceClock, certificates: this.certificates, place: { files: this.deviceFiles, directory: '/var/lib/mqlet/identity', settingsFile } };
    return this.run(joinNode(deps, this.wish(token, part)));
  }

  async renew(nodeName = 'edge-07') {
    const folder = await this.identityFolder();
    return this.run(renewIdentity({ link: this.link(), clock: this.#deviceClock, certificates: this.certificates, files: this.deviceFiles }, {
      address: { host: 'broker.example', port: 8_883, serverName: 'broker.example' }, nodeName, rootTopic, nodeFile: `${folder}/node.pem`, brokerAuthorityFile: `${folder}/broker-ca.pem`, nodeAuthorityFile: `${folder}/node-ca.pem`,
    }));
  }

  link(): JoinLinkPort {
    return { shown: () => Promise.resolve(ok(this.shown)), open: ({ clientId }) => this.broker.port({ clientId }) };
  }

  async identityFolder(): Promise<string> {
    const listed = await this.run(this.deviceFiles.list('/var/lib/mqlet/identity'));
    return `/var/lib/mqlet/identity/${listed.ok ? (listed.value[0]?.name ?? '') : ''}`;
  }

  async text(file: string): Promise<string> {
    const read = await this.run(this.deviceFiles.read(file, { bytesMax: 1_000_000 }));
    return read.ok ? new TextDecoder().decode(read.value) : '';
  }

  /** Paths of all that the device has on disk. */
  async deviceHas(directory = '/'): Promise<readonly string[]> {
    const listed = await this.run(this.deviceFiles.list(directory));
    const found: string[] = [];
    for (const { name, kind } of listed.ok ? listed.value : []) {
      const path = `${directory === '/' ? '' : directory}/${name}`;
      if (kind === 'directory') found.push(...await this.deviceHas(path));
      else found.push(path);
    }
    return found;
  }

  /** Said again on the broker, word for word, by somebody else. @returns what is answered */
  async say(topic: string, payload: Uint8Array): Promise<readonly MqttPacket[]> {
    const mouth = this.broker.port({ clientId: `mouth-${this.heard.length}` });
    await this.run(mouth.connect({ message: () => undefined, closed: () => undefined }));
    const before = this.heard.length;
    await this.run(mouth.publish({ topic, payload, qos: 1, retain: false }));
    await this.clock.advance(1_000);
    await mouth.disconnect();
    return this.heard.slice(before).filter((packet) => packet.topic.endsWith('/down') || packet.topic.includes('/down/'));
  }

  /** Time passes until it is done. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const settled = promise.finally(() => { done = true; });
    settled.catch(() => undefined);
    for (let turn = 0; !done && turn < 10_000; turn += 1) {
      await this.clock.settle();
      if (!done) await this.clock.advance(10);
    }
    return settled;
  }

  #current() {
    const current = this.#parts.at(-1);
    if (current === undefined) throw new Error('not started');
    return current;
  }
}
