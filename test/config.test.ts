// From command line, environment and file to one frozen record, or to all that is wrong with them.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runHelp, settingsMarkdown } from '../src/config/describe-settings.ts';
import { inertFields, inertFlags } from '../src/config/inert.ts';
import { showDuration } from '../src/config/kinds.ts';
import { settingRows } from '../src/config/settings.ts';
import { type Config, parseConfig } from '../src/config.ts';
import { fail, ok } from '../src/ports/result.ts';

const head = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n';
const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';

function parse(argv: readonly string[], options: { env?: Record<string, string>; files?: Record<string, string> } = {}) {
  return parseConfig(argv, options.env ?? {}, (path) => {
    const content = options.files?.[path];
    return content === undefined ? fail({ kind: 'not-found', path, message: 'no such file' }) : ok(content);
  });
}

function config(argv: readonly string[], options?: Parameters<typeof parse>[1]): Config {
  const parsed = parse(argv, options);
  if (parsed.kind !== 'config') throw new Error(JSON.stringify(parsed));
  return parsed.config;
}

function faults(argv: readonly string[], options?: Parameters<typeof parse>[1]): readonly string[] {
  const parsed = parse(argv, options);
  return parsed.kind === 'faults' ? parsed.faults : [];
}

const signature = ['--mqtt-broker', 'b.example', '--mqtt-broker-port', '8883', '--mqtt-root-topic', 'fleet', '--mqtt-access-key', 'ak', '--mqtt-secret-key', 'sk', '--mqtt-instance', 'i', '--mqtt-group', 'g'];

describe('parse config', () => {
  test('given nothing, when parsed, then the defaults stand and the node runs alone', () => {
    expect(config([])).toMatchObject({
      rootDir: '/var/lib/mqlet', adminSocket: '/var/lib/mqlet/mqlet.sock', healthzPort: 10_248, maxPods: 110, logLevel: 'info', staticPodPath: '',
      containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
      nodeStatusUpdateFrequencyMs: 10_000, nodeStatusReportFrequencyMs: 300_000, registerNode: true,
    });
    expect(config([]).mqtt).toBeUndefined();
    expect(Object.isFrozen(config([]))).toBe(true);
  });

  test.each<readonly [string, readonly string[], Partial<Config>]>([
    ['a value after a space', ['--max-pods', '5'], { maxPods: 5 }],
    ['a value after =', ['--max-pods=5'], { maxPods: 5 }],
    ['a truth flag alone', ['--serialize-image-pulls'], { serializeImagePulls: true }],
    ['a truth flag with =false', ['--register-node=false'], { registerNode: false }],
    ['a truth flag followed by false', ['--register-node', 'false'], { registerNode: false }],
    ['a duration', ['--runtime-request-timeout=1m30s'], { runtimeRequestTimeoutMs: 90_000 }],
    ['labels given twice', ['--node-labels=a=1', '--node-labels', 'b=2,a=3'], { nodeLabels: { a: '3', b: '2' } }],
    ['taints', ['--register-with-taints=a=b:NoSchedule,c:NoExecute'], { registerWithTaints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }, { key: 'c', value: '', effect: 'NoExecute' }] }],
    ['a list', ['--cluster-dns=10.0.0.1, 10.0.0.2'], { clusterDns: ['10.0.0.1', '10.0.0.2'] }],
    ['verbosity 4', ['--v=4'], { logLevel: 'debug' }],
    ['verbosity, short', ['-v', '2'], { logLevel: 'info' }],
    ['log level over verbosity', ['--v=9', '--log-level=warn'], { logLevel: 'warn' }],
    ['another root', ['--root-dir=/tmp/n'], { adminSocket: '/tmp/n/mqlet.sock' }],
    ['a socket path without scheme', ['--container-runtime-endpoint=/run/x.sock'], { containerRuntimeEndpoint: 'unix:///run/x.sock' }],
    ['only the update frequency', ['--node-status-update-frequency=20s'], { nodeStatusReportFrequencyMs: 20_000 }],
    ['thresholds', ['--eviction-hard=memory.available<5%'], { evictionHard: { 'memory.available': '5%' }, evictionThresholds: [{ signal: 'memory.available', value: { kind: 'percent', percent: 5 }, graceMs: 0 }] }],
    ['no thresholds', ['--eviction-hard='], { evictionHard: {}, evictionThresholds: [] }],
    ['thresholds that are switched off', ['--eviction-hard=memory.available<0%,nodefs.available<100%'], { evictionThresholds: [] }],
    ['a soft threshold with its grace', ['--eviction-hard=', '--eviction-soft=memory.available<1Gi', '--eviction-soft-grace-period=memory.available=1m30s', '--eviction-minimum-reclaim=memory.available=0'], {
      evictionThresholds: [{ signal: 'memory.available', value: { kind: 'amount', amount: 2 ** 30, text: '1Gi' }, graceMs: 90_000, minimumReclaim: { kind: 'amount', amount: 0, text: '0' } }],
    }],
    ['eviction off', ['--eviction=false'], { eviction: false }],
    ['a shutdown', ['--shutdown-grace-period=30s', '--shutdown-grace-period-critical-pods=10s'], { shutdownGroups: [{ priority: 0, periodMs: 20_000 }, { priority: 2_000_000_000, periodMs: 10_000 }] }],
    ['a shutdown by priority', ['--shutdown-grace-period-by-pod-priority=1000=5,0=30'], { shutdownGroups: [{ priority: 0, periodMs: 30_000 }, { priority: 1_000, periodMs: 5_000 }] }],
  ])('given %s, when parsed, then it counts', (_name, argv, expected) => {
    expect(config(argv)).toMatchObject(expected);
  });

  test('given flag, environment and file, when parsed, then the flag wins, then the environment', () => {
    const files = { '/k.yaml': `${head}rootDir: /file\nlogLevel: error\nmaxPods: 7\nhostnameOverride: from-file\n` };
    const env = { MQLET_ROOT_DIR: '/env', MQLET_LOG_LEVEL: 'warn' };
    expect(config(['--config=/k.yaml', '--log-level=debug'], { env, files })).toMatchObject({ logLevel: 'debug', rootDir: '/env', maxPods: 7, nodeName: 'from-file' });
  });

  test('given a KubeletConfiguration, when parsed, then its fields count and those without effect are named', () => {
    const file = `${head}staticPodPath: /etc/m\nfileCheckFrequency: 2m0s\nregisterWithTaints: [{key: a, value: b, effect: NoSchedule}]\nclusterDNS: [10.0.0.1]\nfailSwapOn: false\nmaxPodz: 3\nevictionHard: {memory.available: 200Mi}\nmergeDefaultEvictionSettings: true\nshutdownGracePeriodByPodPriority: [{priority: 0, shutdownGracePeriodSeconds: 30}]\nstaticPodURL: null\n`;
    const parsed = parse(['--config', '/k.yaml'], { files: { '/k.yaml': file } });
    expect(parsed).toMatchObject({
      kind: 'config',
      warnings: ['/k.yaml: failSwapOn has no effect in mqlet', '/k.yaml: maxPodz is not known; did you mean maxPods?'],
      config: { staticPodPath: '/etc/m', fileCheckFrequencyMs: 120_000, clusterDns: ['10.0.0.1'], evictionHard: { 'memory.available': '200Mi', 'nodefs.available': '10%' }, shutdownGroups: [{ priority: 0, periodMs: 30_000 }], registerWithTaints: [{ key: 'a' }] },
    });
  });

  test('given kubelet flags without effect, when parsed, then each is named and takes its value along', () => {
    expect(parse(['--kubeconfig', '/x', '--rotate-certificates', '--feature-gates=A=true', '--max-pods=3'])).toMatchObject({
      kind: 'config', config: { maxPods: 3 },
      warnings: ['--kubeconfig has no effect in mqlet', '--rotate-certificates has no effect in mqlet', '--feature-gates has no effect in mqlet'],
    });
  });

  test('given many mistakes, when parsed, then all are reported together', () => {
    expect(faults(['word', '--max-podz', '3', '--max-pods=x', '--register-node=maybe', '--file-check-frequency', '10', '--node-labels=kubernetes.io/role=x', '--root-dir'])).toEqual([
      '"word" is not a flag; flags begin with --',
      '--max-podz is not a flag of mqlet run; did you mean --max-pods?',
      '--max-pods must be a whole number from 1 to 10000, not "x"',
      '--register-node must be true or false, not "maybe"',
      '--file-check-frequency must be a duration such as 10s or 1m30s, not "10"',
      '--root-dir needs a value',
      '--node-labels: kubernetes.io/role: a node may not give itself this label of the kubernetes.io or k8s.io domains',
    ]);
  });

  test.each([
    ['a name with capitals', ['--hostname-override=Node'], '--hostname-override must be a DNS name in lower case, not "Node"'],
    ['a file that is missing', ['--config=/none'], '--config /none: no such file'],
    ['an unknown signal', ['--eviction-hard=cpu.available<5%'], '--eviction-hard: "cpu.available" is no signal; the signals are memory.available, nodefs.available, nodefs.inodesFree, imagefs.available, imagefs.inodesFree, pid.available'],
    ['a threshold that is none', ['--eviction-hard=memory.available<much'], '--eviction-hard: memory.available: "much" is neither a quantity such as 100Mi nor per cent such as 10%'],
    ['a threshold of nothing', ['--eviction-hard=memory.available<0'], '--eviction-hard: memory.available: "0" is not more than 0'],
    ['more than all', ['--eviction-hard=memory.available<101%'], '--eviction-hard: memory.available: "101%" is more than 100%'],
    ['a soft threshold without grace', ['--eviction-soft=nodefs.available<20%'], '--eviction-soft: nodefs.available needs a grace period: --eviction-soft-grace-period=nodefs.available=1m30s'],
    ['a grace that is no time', ['--eviction-soft=nodefs.available<20%', '--eviction-soft-grace-period=nodefs.available=long'], '--eviction-soft-grace-period: nodefs.available must be a duration such as 10s or 1m30s, not "long"'],
    ['critical pods longer than all', ['--shutdown-grace-period=10s', '--shutdown-grace-period-critical-pods=20s'], '--shutdown-grace-period-critical-pods (20s) must not be longer than --shutdown-grace-period (10s), of which it is a part'],
    ['two ways to shut down', ['--shutdown-grace-period=10s', '--shutdown-grace-period-by-pod-priority=0=10'], '--shutdown-grace-period-by-pod-priority and --shutdown-grace-period say the same in two ways: give one of them'],
    ['too short to end in', ['--shutdown-grace-period=10ms'], '--shutdown-grace-period must be 0 or at least 1s, not 10ms'],
    ['a bad taint', ['--register-with-taints=a=b:Never'], '--register-with-taints must be taints such as key=value:NoSchedule, not "a=b:Never"'],
    ['a bad quantity', ['--system-reserved=memory=lots'], '--system-reserved: memory: "lots" is no quantity such as 500m or 128Mi'],
    ['a relative path', ['--root-dir=here'], '--root-dir must be an absolute path, not "here"'],
    ['reports rarer than updates', ['--node-status-report-frequency=1s'], '--node-status-report-frequency must not be shorter than --node-status-update-frequency (10s)'],
    ['a TCP runtime', ['--container-runtime-endpoint=tcp://x'], '--container-runtime-endpoint must be a unix socket such as unix:///run/containerd/containerd.sock, not "tcp://x"'],
  ])('given %s, when parsed, then the line says how to mend it', (_name, argv, expected) => {
    expect(faults(argv)).toEqual([expected]);
  });

  test.each([
    ['wrong YAML', 'a: [', /^\/k\.yaml:\d+: /],
    ['another kind', 'kind: Pod\napiVersion: v1\n', /kind: must be KubeletConfiguration/],
    ['no map', '- a\n', /must be a KubeletConfiguration/],
    ['a wrong type', `${head}maxPods: many\n`, /maxPods: must be a whole number from 1 to 10000, not "many"/],
  ])('given a file with %s, when parsed, then it is refused', (_name, file, expected) => {
    expect(faults(['--config=/k.yaml'], { files: { '/k.yaml': file } })[0]).toMatch(expected);
  });

  test('given --help, when parsed, then nothing else is looked at', () => {
    expect(parse(['--help', '--nonsense'])).toEqual({ kind: 'help' });
  });
});

describe('MQTT settings', () => {
  test('given lite-kubelet\'s flags, when parsed, then the broker is reached over TLS with the Signature scheme', () => {
    expect(config(signature).mqtt).toEqual({
      host: 'b.example', port: 8883, tls: { serverName: 'b.example' }, files: {}, renewsCertificate: false, dialect: 'lite', rootTopic: 'fleet', clientGroup: 'g',
      identity: { kind: 'signature', accessKey: 'ak', secretKey: 'sk', instance: 'i' }, keepAliveSeconds: 30, renewsLease: false, heartbeatMs: 120_000,
    });
  });

  test.each([
    ['in the clear', ['--mqtt-url=mqtt://127.0.0.1:1883', '--mqtt-root-topic=r'], { host: '127.0.0.1', port: 1883, dialect: 'mqlet', clientGroup: undefined, identity: { kind: 'anonymous' } }],
    ['the dialect lite', ['--mqtt-url=mqtt://127.0.0.1:1883', '--mqtt-root-topic=r', '--mqtt-dialect=lite'], { dialect: 'lite', clientGroup: 'mqlet' }],
    ['a group', ['--mqtt-url=mqtt://127.0.0.1:1883', '--mqtt-root-topic=r', '--mqtt-group=g'], { dialect: 'lite', clientGroup: 'g' }],
    ['lite-kubelet\'s flags and the dialect mqlet', [...signature, '--mqtt-dialect=mqlet'], { dialect: 'mqlet', clientGroup: 'g', identity: { kind: 'signature' } }],
    ['the dialect kole', ['--mqtt-url=mqtt://127.0.0.1:1883', '--mqtt-dialect=kole', '--mqtt-heartbeat-interval=30s'], { dialect: 'kole', heartbeatMs: 30_000, identity: { kind: 'anonymous' }, clientGroup: undefined }],
    ['a certificate that is renewed', ['--mqtt-url=mqtts://b.example', '--mqtt-root-topic=r', '--mqtt-renew-certificate', '--mqtt-ca-file=/ca', '--mqtt-cert-file=/c', '--mqtt-key-file=/c'], { renewsCertificate: true }],
    ['the lease', ['--mqtt-url=mqtt://127.0.0.1:1883', '--mqtt-root-topic=r', '--mqtt-node-lease=true'], { renewsLease: true }],
    ['default ports', ['--mqtt-url=mqtts://b.example', '--mqtt-root-topic=r'], { port: 8883, tls: { serverName: 'b.example' } }],
    ['an IPv6 address', ['--mqtt-url=mqtt://[::1]:99/', '--mqtt-root-topic=r'], { host: '::1', port: 99 }],
    ['a CA, a certificate, another name', ['--mqtt-url=mqtts://b', '--mqtt-root-topic=r', '--mqtt-ca-file=/ca', '--mqtt-cert-file=/c', '--mqtt-key-file=/k', '--mqtt-server-name=n'], { tls: { serverName: 'n', ca: pem, cert: pem, key: pem }, files: { ca: '/ca', cert: '/c', key: '/k' } }],
    ['user and password file', ['--mqtt-url=mqtts://b', '--mqtt-root-topic=r', '--mqtt-username=u', '--mqtt-password-file=/p'], { identity: { kind: 'password', username: 'u', password: 'pw' } }],
    ['the key in a file', [...signature.slice(0, 8), '--mqtt-secret-key-file=/p', ...signature.slice(10)], { identity: { kind: 'signature', accessKey: 'ak', secretKey: 'pw', instance: 'i' } }],
    ['keep-alive', ['--mqtt-url=mqtt://b', '--mqtt-root-topic=r', '--mqtt-keepalive=5s'], { keepAliveSeconds: 5 }],
  ])('given %s, when parsed, then it counts', (_name, argv, expected) => {
    expect(config(argv, { files: { '/ca': pem, '/c': pem, '/k': pem, '/p': 'pw\n' } }).mqtt).toMatchObject(expected);
  });

  test('given the secret key in the environment, when parsed, then it counts and nothing warns of it', () => {
    const argv = signature.filter((word) => word !== '--mqtt-secret-key' && word !== 'sk');
    expect(parse(argv, { env: { MQLET_MQTT_SECRET_KEY: 'from-env' } })).toMatchObject({ warnings: [], config: { mqtt: { identity: { secretKey: 'from-env' } } } });
    expect(parse(signature)).toMatchObject({ warnings: [expect.stringContaining('process list')] });
  });

  test.each([
    ['an unknown dialect', ['--mqtt-dialect=x'], '--mqtt-dialect must be mqlet, lite or kole, not "x"'],
    ['no broker', ['--mqtt-root-topic=r', '--mqtt-group=g'], '--mqtt-root-topic, --mqtt-group: no broker is named; give --mqtt-url, or --mqtt-broker and --mqtt-broker-port'],
    ['no root topic', ['--mqtt-url=mqtt://b'], 'need set --mqtt-root-topic: the first levels of all topics'],
    ['wildcards', ['--mqtt-url=mqtt://b', '--mqtt-root-topic=a/#'], '--mqtt-root-topic must not hold the wildcards + and #'],
    ['another scheme', ['--mqtt-url=ws://b', '--mqtt-root-topic=r'], '--mqtt-url must be mqtt://host[:port] or mqtts://host[:port]'],
    ['a password in the URL', ['--mqtt-url=mqtt://u:p@b', '--mqtt-root-topic=r'], '--mqtt-url must be mqtt://host[:port] or mqtts://host[:port]; user and password have settings of their own'],
    ['half a signature', ['--mqtt-broker=b', '--mqtt-broker-port=1', '--mqtt-root-topic=r', '--mqtt-group=g'], 'need set --mqtt-access-key, --mqtt-secret-key, --mqtt-instance: the Signature scheme takes access key, secret key, instance and group'],
    ['two brokers', [...signature, '--mqtt-url=mqtts://c'], '--mqtt-url and --mqtt-broker name two brokers; give one of them'],
    ['a certificate without key', ['--mqtt-url=mqtts://b', '--mqtt-root-topic=r', '--mqtt-cert-file=/c'], '--mqtt-cert-file and --mqtt-key-file belong together'],
    ['a renewed certificate with its key elsewhere', ['--mqtt-url=mqtts://b', '--mqtt-root-topic=r', '--mqtt-renew-certificate', '--mqtt-ca-file=/c', '--mqtt-cert-file=/c', '--mqtt-key-file=/k'], '--mqtt-renew-certificate needs --mqtt-ca-file, and certificate and key in one file: --mqtt-cert-file and --mqtt-key-file with the same path, as mqlet join writes them'],
    ['TLS files in the clear', ['--mqtt-url=mqtt://b', '--mqtt-root-topic=r', '--mqtt-ca-file=/c'], '--mqtt-ca-file: only for TLS; write --mqtt-url mqtts://…'],
    ['a CA that is no PEM', ['--mqtt-url=mqtts://b', '--mqtt-root-topic=r', '--mqtt-ca-file=/p'], '--mqtt-ca-file /p: is no PEM file'],
    ['a missing CA', ['--mqtt-url=mqtts://b', '--mqtt-root-topic=r', '--mqtt-ca-file=/none'], '--mqtt-ca-file /none: no such file'],
    ['a user without password', ['--mqtt-url=mqtts://b', '--mqtt-root-topic=r', '--mqtt-username=u'], 'need set --mqtt-password-file (or MQLET_MQTT_PASSWORD) for --mqtt-username'],
  ])('given %s, when parsed, then it is refused', (_name, argv, expected) => {
    expect(faults(argv, { files: { '/c': pem, '/k': pem, '/p': 'pw\n' } })).toEqual([expected]);
  });
});

describe('the table of settings', () => {
  test('given all rows, then no flag, field or variable stands twice, and none is also without effect', () => {
    const flags = settingRows.flatMap(([, row]) => row.flags);
    const fields = settingRows.map(([, row]) => row.field);
    const variables = settingRows.flatMap(([, row]) => row.environment ?? []);
    for (const names of [flags, fields, variables]) expect(new Set(names).size).toBe(names.length);
    expect(flags.filter((flag) => inertFlags.has(flag))).toEqual([]);
    expect(fields.filter((field) => inertFields.has(field))).toEqual([]);
  });

  test('given every default, when shown and read again, then it is the same', () => {
    for (const [name, { kind, fallback }] of settingRows) {
      if (fallback !== undefined) expect([name, kind.fromText(kind.show(fallback))]).toEqual([name, { ok: true, value: fallback }]);
    }
  });

  test('given help and documents, then every flag is in both', () => {
    for (const flag of settingRows.flatMap(([, row]) => row.flags.slice(0, 1))) {
      expect(runHelp()).toContain(`  ${flag}`);
      expect(settingsMarkdown()).toContain(`\`${flag}\``);
    }
  });

  test('given docs/operating.md, then its tables are those of the settings', () => {
    expect(readFileSync(new URL('../docs/operating.md', import.meta.url), 'utf8'), 'run npm run docs').toContain(settingsMarkdown());
  });

  test('given any whole milliseconds, when shown as a duration and parsed, then nothing is lost', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 1e9 }), (durationMs) => {
      expect(config([`--file-check-frequency=${showDuration(durationMs)}`]).fileCheckFrequencyMs).toBe(durationMs);
    }));
  });

  test('given any words, when parsed, then nothing is thrown', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom(...settingRows.flatMap(([, row]) => row.flags)), fc.string().map((value) => `--node-labels=${value}`));
    fc.assert(fc.property(fc.array(word, { maxLength: 6 }), (argv) => { parse(argv, { files: { '/k': '' } }); }));
  });
});
