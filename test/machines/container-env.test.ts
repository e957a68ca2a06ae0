// Environment from config maps and secrets: what is set, in which order it wins, and the words where something is missing.
import { describe, expect, it } from 'vitest';
import { containerEnvironment } from '../../src/machines/decide/container-env.ts';
import type { Container } from '../../src/ports/pod-types.ts';
import { objectKey } from '../../src/ports/stored-object.ts';
import { nodeSettings } from '../support/node-settings.ts';
import { aContainer, aPod } from '../support/pods.ts';
import { aConfigMap, aSecret } from '../support/stored-objects.ts';

const objects = new Map([aConfigMap('settings', { MODE: 'fast', 'log.level': '$(MODE)' }), aSecret('keys', { TOKEN: 's3cr3t', MODE: 'secret' })]
  .map((object) => [objectKey(object), object]));

function environment(part: Partial<Container>) {
  const container = aContainer('app', part);
  const desired = aPod({ containers: [container] });
  const made = containerEnvironment(container, { desired, podIps: [], hostIps: [], settings: nodeSettings, objects: (reference) => objects.get(objectKey(reference)) });
  return made.ok ? Object.fromEntries(made.value) : made.fault;
}

const mapKey = (name: string, key: string, optional?: boolean) => ({ valueFrom: { configMapKeyRef: { name, key, ...(optional === undefined ? {} : { optional }) } } });
const secretKey = (name: string, key: string, optional?: boolean) => ({ valueFrom: { secretKeyRef: { name, key, ...(optional === undefined ? {} : { optional }) } } });

describe('environment from objects', () => {
  it.each<[string, Partial<Container>, unknown]>([
    ['a key of a config map', { env: [{ name: 'A', ...mapKey('settings', 'MODE') }] }, { A: 'fast' }],
    ['a key of a secret', { env: [{ name: 'A', ...secretKey('keys', 'TOKEN') }] }, { A: 's3cr3t' }],
    ['a value with a variable in it', { env: [{ name: 'A', ...mapKey('settings', 'log.level') }] }, { A: '$(MODE)' }],
    ['a later variable that uses it', { env: [{ name: 'A', ...secretKey('keys', 'TOKEN') }, { name: 'B', value: '<$(A)>' }] }, { A: 's3cr3t', B: '<s3cr3t>' }],
    ['a whole config map', { envFrom: [{ configMapRef: { name: 'settings' } }] }, { MODE: 'fast', 'log.level': '$(MODE)' }],
    ['a prefix', { envFrom: [{ prefix: 'S_', secretRef: { name: 'keys' } }] }, { S_MODE: 'secret', S_TOKEN: 's3cr3t' }],
    ['two objects', { envFrom: [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'keys' } }] }, { MODE: 'secret', 'log.level': '$(MODE)', TOKEN: 's3cr3t' }],
    ['env over envFrom', { envFrom: [{ secretRef: { name: 'keys' } }], env: [{ name: 'MODE', value: 'own $(TOKEN)' }] }, { MODE: 'own s3cr3t', TOKEN: 's3cr3t' }],
    ['optional ones that are not there', {
      envFrom: [{ configMapRef: { name: 'none', optional: true } }, { secretRef: { name: 'none', optional: true } }],
      env: [{ name: 'A', ...mapKey('none', 'k', true) }, { name: 'B', ...secretKey('keys', 'none', true) }, { name: 'C', value: 'c' }],
    }, { C: 'c' }],
    ['a missing config map', { env: [{ name: 'A', ...mapKey('none', 'k') }] }, 'configmap "none" not found'],
    ['a missing secret', { env: [{ name: 'A', ...secretKey('none', 'k') }] }, 'secret "none" not found'],
    ['a missing key', { env: [{ name: 'A', ...mapKey('settings', 'none') }] }, "couldn't find key none in ConfigMap default/settings"],
    ['a missing key of a secret', { env: [{ name: 'A', ...secretKey('keys', 'none') }] }, "couldn't find key none in Secret default/keys"],
    ['a missing config map of envFrom', { envFrom: [{ configMapRef: { name: 'none' } }] }, 'configmap "none" not found'],
    ['a missing secret of envFrom', { envFrom: [{ secretRef: { name: 'none', optional: false } }] }, 'secret "none" not found'],
  ])('given %s, when computed, then it is as kubelet has it', (_what, part, expected) => {
    expect(environment(part)).toEqual(expected);
  });
});
