// What a user may say to `mqlet run`, and how the broker is trusted: flags, a KubeletConfiguration, TLS. Needs no runtime.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mqttClient } from '../../src/adapters/mqtt-client.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { SystemRandom } from '../../src/adapters/system-random.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../../src/bridge/embedded-cloud.ts';
import { buildMqlet, type DaemonProcess, mqlet, startDaemon, until } from '../support/daemon-process.ts';
import { podManifest } from '../support/daemon-world.ts';
import { freePort, hasMosquitto, makeCertificates, startMosquitto, type TestBroker } from '../support/mosquitto.ts';
import { silentLog } from '../support/silent-log.ts';

describe('the command line of mqlet run', () => {
  beforeAll(buildMqlet);

  it.each([
    ['--pod-manifest-pth /etc/pods', ['mqlet run: --pod-manifest-pth is not a flag of mqlet run; did you mean --pod-manifest-path?']],
    ['--root-dir relative', [expect.stringMatching(/^mqlet run: --root-dir .*absolute/)]],
    ['--max-pods many --healthz-port 99999', [expect.stringMatching(/^mqlet run: --max-pods .*"many"/), expect.stringMatching(/^mqlet run: --healthz-port /)]],
    ['--mqtt-url http://b --mqtt-root-topic t', ['mqlet run: --mqtt-url must be mqtt://host[:port] or mqtts://host[:port]']],
    ['--mqtt-url mqtts://b --mqtt-root-topic t --mqtt-ca-file /no/ca.pem', ['mqlet run: --mqtt-ca-file /no/ca.pem: no such file']],
    ['--config /no/kubelet.yaml', ['mqlet run: --config /no/kubelet.yaml: no such file']],
    ['web.yaml', ['mqlet run: "web.yaml" is not a flag; flags begin with --']],
  ])('given the flags "%s", when it is started, then each mistake has its line and the exit code is 2', async (flags, lines) => {
    const { code, stdout, stderr } = await mqlet(['run', ...flags.split(' ')]);
    expect({ code, stdout, lines: stderr.trimEnd().split('\n') }).toEqual({ code: 2, stdout: '', lines });
  });

  it('given --help, when it is asked for, then the settings are listed', async () => {
    for (const words of [['run', '--help'], ['help', 'run']]) {
      const { code, stdout, stderr } = await mqlet(words);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^Usage: mqlet run \[--config FILE\] \[flags\]$/m);
      expect(stdout).toMatch(/^ {2}--pod-manifest-path path +\S/m);
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    }
  });
});

describe.skipIf(!hasMosquitto())(`mqlet run and a broker with TLS${hasMosquitto() ? '' : ' (mosquitto is not installed)'}`, () => {
  let broker: TestBroker;
  let cloud: EmbeddedCloud;
  let directory = '';
  let daemon: DaemonProcess | undefined;
  const pem = (name: string) => path.join(broker.directory, name);

  beforeAll(async () => {
    await buildMqlet();
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-settings-'));
    // Node and cloud meet here; the cloud has a door of its own, in the clear.
    const plainPort = await freePort();
    broker = await startMosquitto(
      (at) => [`cafile ${at}/ca.pem`, `certfile ${at}/server.pem`, `keyfile ${at}/server.key`, 'require_certificate true', 'allow_anonymous true', `listener ${plainPort} 127.0.0.1`],
      makeCertificates,
    );
    const mqtt = mqttClient({ host: '127.0.0.1', port: plainPort, clientId: 'cloud', protocols: ['MQTT 3.1.1'], keepAliveMs: 30_000 });
    cloud = startEmbeddedCloud({ mqtt, clock: new SystemClock(), random: new SystemRandom(), log: silentLog, rootTopic: 'fleet' });
    await cloud.ready;
  });
  afterEach(async () => {
    await daemon?.end('SIGKILL');
  });
  afterAll(async () => {
    await cloud.stop();
    await broker.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const start = (nodeName: string, flags: readonly string[]): DaemonProcess => (daemon = startDaemon([
    '--hostname-override', nodeName, '--root-dir', path.join(directory, nodeName), '--container-runtime-endpoint', `unix://${directory}/none.sock`, '--healthz-port', '0',
    ...flags,
  ]));
  const trusting = () => ['--mqtt-ca-file', pem('ca.pem'), '--mqtt-cert-file', pem('client.pem'), '--mqtt-key-file', pem('client.key')];
  const registered = (name: string) => until(`${name} registers`, () => cloud.nodes().find(({ metadata }) => metadata?.name === name));

  it.each(['127.0.0.1', 'localhost'])('given its CA and a client certificate, when the daemon connects to %s, then the node registers, without a runtime too', async (host) => {
    const name = `at-${host}`;
    const { stray, log } = start(name, ['--mqtt-url', `mqtts://${host}:${broker.port}`, '--mqtt-root-topic', 'fleet', ...trusting()]);
    const node = await registered(name);
    expect(node.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'False', message: expect.stringMatching(/^container runtime is down: connect ENOENT \S+none\.sock$/) });
    expect(stray.call(daemon)).toEqual([]);
    expect(log.call(daemon, 'mqtt.up')).toHaveLength(1);
  });

  it.each([
    ['another CA', () => ['--mqtt-ca-file', pem('other.pem'), '--mqtt-cert-file', pem('client.pem'), '--mqtt-key-file', pem('client.key')], /not signed by a CA we trust; --mqtt-ca-file names one; .*\(SELF_SIGNED_CERT_IN_CHAIN\)$/],
    ['no client certificate', () => ['--mqtt-ca-file', pem('ca.pem')], /asks for a client certificate: --mqtt-cert-file and --mqtt-key-file; .*CERTIFICATE_REQUIRED\)$/],
    ['another server name', () => [...trusting(), '--mqtt-server-name', 'broker.example'], /is for another name; --mqtt-server-name says which one to expect; .*broker\.example.*\(ERR_TLS_CERT_ALTNAME_INVALID\)$/],
  ])('given %s, when the daemon connects, then one line says what to do, it tries again and lives', async (_name, flags, says) => {
    const running = start('wary', ['--mqtt-url', `mqtts://127.0.0.1:${broker.port}`, '--mqtt-root-topic', 'fleet', '--log-level', 'debug', ...flags()]);
    await running.logged('mqtt.not-connected', ({ failures }) => failures === 2);
    const [line, ...more] = running.log('mqtt.refused');
    expect(line).toMatchObject({ level: 'error', kind: 'untrusted', message: expect.stringMatching(new RegExp(`^mqtts://127\\.0\\.0\\.1:${broker.port}: the broker`)) });
    expect(line?.['message']).toMatch(says);
    expect(more).toEqual([]);
    expect(running.log('mqtt.not-connected').map(({ level }) => level)).toEqual(['debug', 'debug']);
    expect(running.stray()).toEqual([]);
    expect(await running.end('SIGTERM')).toMatchObject({ code: 0 });
  });

  it('given a path of manifests that is not there, when the daemon starts, then it says so and waits for it', async () => {
    const manifests = path.join(directory, 'manifests');
    const running = start('pathless', ['--pod-manifest-path', manifests]);
    expect(await running.logged('staticPods.missing')).toMatchObject({ level: 'warn', directory: manifests });
    mkdirSync(manifests);
    writeFileSync(path.join(manifests, 'web.json'), podManifest('web'));
    await running.logged('staticPods.changed', ({ pods }) => pods === 1);
    expect(running.log('staticPods.missing')).toHaveLength(1);
  });

  it('given a KubeletConfiguration with the broker in it, when the daemon reads it, then it is followed, flags win, and what it does not know is said', async () => {
    const file = path.join(directory, 'kubelet.yaml');
    writeFileSync(file, [
      'apiVersion: kubelet.config.k8s.io/v1beta1', 'kind: KubeletConfiguration', 'maxPods: 7', 'nodeStatusUpdateFrequency: 3s', 'healthzPort: 0', 'failSwapOn: true', 'maxPodz: 3',
      `mqttUrl: mqtts://localhost:${broker.port}`, 'mqttRootTopic: wrong', `mqttCaFile: ${pem('ca.pem')}`, `mqttCertFile: ${pem('client.pem')}`, `mqttKeyFile: ${pem('client.key')}`, '',
    ].join('\n'));
    const running = start('from-file', ['--config', file, '--mqtt-root-topic', 'fleet', '--node-labels', 'site=quay']);
    const node = await registered('from-file');
    expect(node.metadata?.labels).toMatchObject({ site: 'quay' });
    expect(node.status?.capacity).toMatchObject({ pods: '7' });
    expect(running.log('settings.warning').map(({ message }) => message)).toEqual([`${file}: failSwapOn has no effect in mqlet`, `${file}: maxPodz is not known; did you mean maxPods?`]);
  });
});
