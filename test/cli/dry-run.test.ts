// `mqlet apply --dry-run` as a person types it, on a machine without a daemon and without a runtime.
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { runCommand } from '../../src/cli/run-command.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

const head = 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n';
const web = `${head}  containers: [{name: app, image: "registry.example/app:1", args: ["$(HOME_OF)/x"], env: [{name: HOME_OF, value: /srv}]}]\n`;

async function dryRun(words: string, input: string) {
  let out = '';
  const complaints: string[] = [];
  const terminal: Terminal = {
    print: (text) => { out += text; },
    complain: (line) => { complaints.push(line); },
    environment: { MQLET_NODE_NAME: 'edge-07', MQLET_SOCKET: '/nowhere.sock' },
    readFile: () => { throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' }); },
    readStandardInput: () => Promise.resolve(input), readLines: async function* () {},
    nowMs: () => 0,
  };
  const code = await runCommand(`apply --dry-run -f - ${words}`.trim().split(' '), terminal);
  return { code, out, complaints };
}

describe('mqlet apply --dry-run', () => {
  test('given a pod, when printed, then all defaults are there and nothing the node adds for itself', async () => {
    const { code, out, complaints } = await dryRun('', web);
    expect({ code, complaints }).toEqual({ code: 0, complaints: [] });
    expect(parse(out)).toEqual({
      apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'default' },
      spec: expect.objectContaining({
        nodeName: 'edge-07', restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30,
        containers: [expect.objectContaining({ imagePullPolicy: 'IfNotPresent', terminationMessagePolicy: 'File' })],
      }),
    });
  });

  test('given what it printed, when read again, then it is the same pod', async () => {
    const { out } = await dryRun('', web);
    expect((await dryRun('', out)).out).toBe(out);
  });

  test.each([
    ['one pod as JSON', '-o json', web, (out: string) => JSON.parse(out) as unknown, { kind: 'Pod' }],
    ['several pods as JSON', '-o json', `${web}---\n${web.replace('web', 'two')}`, (out: string) => JSON.parse(out) as unknown, { kind: 'List', items: [{ kind: 'Pod' }, { kind: 'Pod' }] }],
    ['several pods as YAML', '', `${web}---\n${web.replace('web', 'two')}`, (out: string) => parseAllDocuments(out).map((document) => document.toJS() as unknown), [{ metadata: { name: 'web' } }, { metadata: { name: 'two' } }]],
  ])('given %s, when printed, then it can be read back', async (_what, words, input, read, expected) => {
    expect(read((await dryRun(words, input)).out)).toMatchObject(expected);
  });

  test('given several faults, when judged, then each has a line with its field, and the code is 1', async () => {
    const { code, out, complaints } = await dryRun('', `${head}  colour: red\n  restartPolicy: Sometimes\n  containers: [{name: App}]\n`);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(complaints).toEqual([
      expect.stringMatching(/^error: standard input:\d+: spec\.containers\[0\]\.name: Invalid value: "App": /),
      expect.stringMatching(/^error: standard input:\d+: spec\.containers\[0\]\.image: Required value$/),
      expect.stringMatching(/^error: standard input:\d+: spec\.restartPolicy: Unsupported value: "Sometimes"/),
      expect.stringMatching(/^warning: standard input:\d+: spec\.colour: /),
    ]);
  });

  test('given a pod that this node cannot honour, when judged, then it is printed, and the line names the field', async () => {
    const { code, out, complaints } = await dryRun('', `${head}  hostUsers: false\n  containers: [{name: app, image: a}]\n`);
    expect(code).toBe(1);
    expect(parse(out)).toMatchObject({ kind: 'Pod' });
    expect(complaints).toEqual(['error: standard input: pod web would fail: UnsupportedPodFeature: can\'t set `spec.hostUsers: false`, this version of the node agent makes no user namespaces']);
  });

  test('given a pod that asks for what only some nodes have, when judged, then it is printed with a warning', async () => {
    const { code, out, complaints } = await dryRun('', `${head}  nodeSelector: {zone: north}\n  containers: [{name: app, image: a}]\n`);
    expect(code).toBe(0);
    expect(parse(out)).toMatchObject({ kind: 'Pod' });
    expect(complaints).toEqual(['warning: standard input: pod web would be refused by a node like this host: NodeAffinity: Predicate NodeAffinity failed: node(s) didn\'t match Pod\'s node affinity/selector']);
  });

  test('given a value from a config map, when printed, then there is nothing to say, and only --explain lacks it', async () => {
    const input = `${head}  containers: [{name: app, image: a, env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: a}}}]}]\n`;
    expect(await dryRun('', input)).toMatchObject({ code: 0, complaints: [] });
    expect((await dryRun('--explain', input)).complaints).toEqual([expect.stringMatching(/^warning: standard input: container app cannot be explained on paper: CreateContainerConfigError: /)]);
  });

  test('given --explain, when printed, then what the runtime would be asked for is there', async () => {
    const { code, out } = await dryRun('--explain -o json', web);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      pod: { kind: 'Pod' },
      runtime: {
        sandbox: { metadata: { name: 'web', attempt: 0 }, hostname: 'web', linux: { securityContext: { seccomp: { profileType: 'RuntimeDefault' } } } },
        containers: [{ metadata: { name: 'app' }, image: { image: 'registry.example/app:1' }, args: ['/srv/x'], logPath: 'app/0.log',
          mounts: [{ containerPath: '/etc/hosts' }, { containerPath: '/dev/termination-log', hostPath: expect.stringMatching(/\/containers\/app\/00000000$/) as string }] }],
      },
    });
  });

  test('given parts that come late or depend on the runtime, when explained, then they are there', async () => {
    const input = `${head}  volumes: [{name: data, emptyDir: {}}, {name: kube-api-access-x, projected: {sources: [{serviceAccountToken: {path: token}}]}}]
  serviceAccountName: teller
  containers: [{name: app, image: a, volumeMounts: [{name: data, mountPath: /data, readOnly: true, recursiveReadOnly: Enabled}]}]
  ephemeralContainers: [{name: debug, image: b, targetContainerName: app}]
`;
    const { code, out, complaints } = await dryRun('--explain -o json', input);
    expect({ code, complaints }).toEqual({ code: 0, complaints: ['warning: standard input: volume kube-api-access-x is left out: only pods of the API have service accounts'] });
    expect(JSON.parse(out)).toMatchObject({ runtime: { containers: [
      { metadata: { name: 'app' }, mounts: [{ containerPath: '/data', readonly: true, recursiveReadOnly: true }, {}, {}] },
      { metadata: { name: 'debug' }, linux: { securityContext: { namespaceOptions: { pid: 'TARGET', targetId: '<ID of container app>' } } } },
    ] } });
  });

  test('given huge pages that no container asks for, when judged, then it would not start', async () => {
    const { code, complaints } = await dryRun('', `${head}  volumes: [{name: big, emptyDir: {medium: HugePages}}]
  containers: [{name: app, image: a}]
`);
    expect({ code, complaints }).toEqual({ code: 1, complaints: ['error: standard input: pod web would not start: volume big could not be made: medium HugePages needs a container that requests such huge pages'] });
  });

  test.each([
    ['--explain alone', 'apply --explain -f -', '--explain tells what --dry-run found: mqlet apply --dry-run --explain -f FILE'],
    ['a table', 'apply --dry-run -o wide -f -', 'a dry run prints -o yaml or -o json'],
  ])('given %s, when typed, then it is wrong usage', async (_what, words, line) => {
    const complaints: string[] = [];
    const code = await runCommand(words.split(' '), {
      print: () => undefined, complain: (text) => { complaints.push(text); }, environment: {}, readFile: () => new Uint8Array(), readStandardInput: () => Promise.resolve(''), readLines: async function* () {}, nowMs: () => 0,
    });
    expect({ code, complaints }).toEqual({ code: 2, complaints: [`mqlet apply: ${line}`] });
  });
});
