import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../src/config.ts';
import { settings } from '../../src/config/settings.ts';
import { carrySettings, configText, yamlValue } from '../../src/migrate/carry-settings.ts';
import { agentOf, readUnit } from '../../src/migrate/other-agent.ts';
import type { FileFault } from '../../src/ports/faults.ts';
import { fail, ok, type Result } from '../../src/ports/result.ts';

const noFile = (path: string): Result<string, FileFault> => fail({ kind: 'not-found', path, message: 'no such file' });
const filesOf = (files: Readonly<Record<string, string>>) => (path: string): Result<string, FileFault> => (files[path] === undefined ? noFile(path) : ok(files[path]));

const liteCommand = ['/usr/local/bin/kubelet', '--mqtt-broker=broker.example', '--mqtt-broker-port', '8883', '--mqtt-root-topic=fleet', '--mqtt-access-key=ak', '--mqtt-secret-key=the-secret', '--mqtt-group=GID', '--mqtt-instance=inst',
  '--container-runtime=remote', '--container-runtime-endpoint=unix:///run/containerd/containerd.sock', '--pod-manifest-path=/etc/kubernetes/manifests', '--hostname-override=edge-07', '--v=4', '--network-plugin=cni'];

describe('the settings of lite-kubelet', () => {
  const agent = agentOf(liteCommand) ?? { kind: 'kubelet' as const, flags: [] };
  const carried = carrySettings(agent, noFile);

  test('given its command line, when it is carried, then its fleet and its directories are ours, and the secret stands apart', () => {
    expect(agent.kind).toBe('lite-kubelet');
    expect(carried.fields).toEqual({
      hostnameOverride: 'edge-07', staticPodPath: '/etc/kubernetes/manifests', containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
      mqttBroker: 'broker.example', mqttBrokerPort: 8883, mqttRootTopic: 'fleet', mqttDialect: 'lite', mqttGroup: 'GID', mqttInstance: 'inst', mqttAccessKey: 'ak',
      rootDir: '/var/lib/kubelet', verbosity: 4,
    });
    expect(carried.secretKey).toBe('the-secret');
    expect(JSON.stringify(carried.fields)).not.toContain('the-secret');
  });

  test('given what has no effect here, when it is carried, then it is named with the reason', () => {
    expect(carried.left).toEqual([
      expect.stringMatching(/^--container-runtime has no effect in mqlet: only CRI is spoken; pods that dockershim made/),
      expect.stringMatching(/^--network-plugin has no effect in mqlet: the runtime makes the network/),
    ]);
  });

  test('given the file made of it, when the daemon reads it, then it starts as the same node of the same fleet', () => {
    const file = configText(carried, { mqttSecretKeyFile: '/etc/mqlet/mqtt-secret-key' }, 'process 1');
    const parsed = parseConfig(['--config', '/c.yaml'], {}, filesOf({ '/c.yaml': file, '/etc/mqlet/mqtt-secret-key': 'the-secret\n' }));
    expect(parsed).toMatchObject({
      kind: 'config', warnings: [], config: {
        nodeName: 'edge-07', rootDir: '/var/lib/kubelet', logLevel: 'debug',
        mqtt: { host: 'broker.example', port: 8883, dialect: 'lite', identity: { kind: 'signature', accessKey: 'ak', secretKey: 'the-secret', instance: 'inst' }, clientGroup: 'GID' },
      },
    });
  });
});

describe('the settings of a kubelet', () => {
  const kubeadm = [
    '[Service]\nEnvironment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"\nEnvironment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"\n'
    + 'EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\nEnvironmentFile=-/etc/default/kubelet\nExecStart=\nExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS \\\n  $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS\n',
  ];
  const environment: Readonly<Record<string, string>> = { '/var/lib/kubelet/kubeadm-flags.env': 'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/containerd/containerd.sock --node-labels=\'site=harbour\'"\n' };
  const file = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncgroupDriver: systemd\nclusterDNS: [10.96.0.10]\nstaticPodPath: /etc/kubernetes/manifests\nevictionHard: {memory.available: 200Mi}\nsyncFrequency: 0s\nauthentication: {anonymous: {enabled: false}}\ncontainerLogMaxSize: 20Mi\nshutdownGracePeriod: 30s\n';

  test('given the unit of kubeadm with its files, when it is read, then its flags are what systemd would start', () => {
    const { words, missing } = readUnit(kubeadm, (path) => environment[path]);
    expect({ words, missing }).toEqual({
      words: ['/usr/bin/kubelet', '--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf', '--kubeconfig=/etc/kubernetes/kubelet.conf', '--config=/var/lib/kubelet/config.yaml', '--container-runtime-endpoint=unix:///run/containerd/containerd.sock', '--node-labels=site=harbour'],
      missing: [],
    });
  });

  test('given those flags and the configuration, when they are carried, then values keep their form and the API server\'s are left with the way instead', () => {
    const { words } = readUnit(kubeadm, (path) => environment[path]);
    const agent = agentOf(words);
    const carried = carrySettings(agent ?? { kind: 'kubelet', flags: [] }, filesOf({ '/var/lib/kubelet/config.yaml': file }));
    expect(carried.fields).toEqual({
      nodeLabels: { site: 'harbour' }, registerWithTaints: [], evictionHard: { 'memory.available': '200Mi' }, shutdownGracePeriod: '30s', staticPodPath: '/etc/kubernetes/manifests', clusterDNS: ['10.96.0.10'],
      containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock', cgroupDriver: 'systemd', containerLogMaxSize: '20Mi', rootDir: '/var/lib/kubelet',
    });
    expect(carried.left.join('\n')).toMatch(/--kubeconfig has no effect in mqlet: .*mqlet bridge --kubeconfig/);
    expect(carried.left.join('\n')).toMatch(/authentication has no effect in mqlet: no port is open/);
  });

  test('given an environment file that must be there and is not, when it is read, then it is named', () => {
    expect(readUnit(['ExecStart=/usr/bin/kubelet $X\nEnvironmentFile=/etc/x\n'], () => undefined)).toEqual({ words: ['/usr/bin/kubelet'], missing: ['/etc/x'] });
  });

  test('given any other program, when it is asked for, then it is none', () => {
    expect(agentOf(['/usr/bin/containerd', '--mqtt-broker=x'])).toBeUndefined();
  });
});

describe('a value in the file', () => {
  const samples: readonly (readonly [keyof typeof settings, string])[] = [
    ['nodeStatusUpdateFrequencyMs', '1m30s'], ['containerLogMaxSize', '20Mi'], ['registerWithTaints', 'a=b:NoSchedule,c:NoExecute'], ['nodeLabels', 'a=1,b=2'], ['evictionHard', 'memory.available<100Mi'],
    ['shutdownGracePeriodByPodPriority', '0=30,2000000000=10'], ['clusterDns', '10.0.0.1,10.0.0.2'], ['serializeImagePulls', 'false'], ['maxPods', '50'], ['cgroupDriver', 'systemd'], ['imagePrefetchWindow', '22:00-05:30'], ['inspector', '127.0.0.1:7790'],
  ];
  test.each(samples)('given %s as a flag, when it is written into the file and read again, then it is the same', (name, text) => {
    const { kind } = settings[name];
    const given = kind.fromText(text);
    if (!given.ok) throw new Error(given.fault);
    // One row's own kind reads what it wrote; their union has no common parameter.
    const written: unknown = parse(JSON.stringify(yamlValue(kind as Parameters<typeof yamlValue>[0], given.value)));
    expect(kind.fromYaml(written)).toEqual(given);
  });

  test('given any words, when they are read as flags or as a unit, then nothing throws', () => {
    fc.assert(fc.property(fc.array(fc.string()), (words) => {
      carrySettings({ kind: 'kubelet', flags: words }, noFile);
      readUnit([words.join('\n'), `ExecStart=/usr/bin/kubelet ${words.join(' ')}`], () => words.join('='));
    }), { numRuns: 300 });
  });
});
