import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ObjectData, type StoredObject } from '../../src/ports/stored-object.ts';
import { SecretMask } from '../../src/replay/secret-mask.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function aSecret(values: Readonly<Record<string, string>>, type = 'Opaque'): StoredObject {
  return { kind: 'Secret', namespace: 'default', name: 'keys', uid: '', version: '1', type, data: new ObjectData(new Map(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)]))) };
}

describe('secret mask', () => {
  it('given a value, when it stands alone, in a text and as base64, then it is the same word each time', () => {
    const mask = new SecretMask();
    mask.learnObject(aSecret({ token: 'correct-horse' }));
    expect(mask.value({ value: 'correct-horse', args: ['--token=correct-horse'], data: base64('correct-horse') }))
      .toEqual({ value: 'masked-1', args: ['--token=masked-1'], data: base64('masked-1') });
  });

  it('given a short value, when it is equal to a name, then the name stays and the value goes', () => {
    const mask = new SecretMask();
    mask.learnObject(aSecret({ mode: 'default' }));
    expect(mask.value({ namespace: 'default', value: 'default', text: 'the default' })).toEqual({ namespace: 'default', value: 'masked-1', text: 'the default' });
  });

  it('given a value with quotes and line ends, when it stands in JSON inside a text, then it is masked', () => {
    const mask = new SecretMask();
    const value = 'a "quoted"\nvalue';
    mask.learn(value);
    expect(mask.text(JSON.stringify({ value }))).toBe('{"value":"masked-1"}');
  });

  it('given a packed payload, when it holds a value, then it is packed again without it; another one is left as it is', () => {
    const mask = new SecretMask();
    mask.learn('correct-horse');
    const masked = mask.value({ payload: { $bytes: gzipSync(`token: ${base64('correct-horse')}\n`).toString('base64') } });
    expect(masked).toMatchObject({ payload: { $bytes: expect.any(String) } });
    const packed = JSON.stringify(masked).match(/H4sI[^"]*/)?.[0] ?? '';
    expect(gunzipSync(Buffer.from(packed, 'base64')).toString()).toBe(`token: ${base64('masked-1')}\n`);
    const other = { payload: { $bytes: gzipSync('nothing').toString('base64') } };
    expect(mask.value(other)).toEqual(other);
  });

  it('given credentials of a registry, when they are masked, then what is left is still a configuration', () => {
    const mask = new SecretMask();
    const config = JSON.stringify({ auths: { 'registry.example': { username: 'edge', password: 'hunter22222', auth: base64('edge:hunter22222') } } });
    mask.learnObject(aSecret({ '.dockerconfigjson': config }, 'kubernetes.io/dockerconfigjson'));
    const masked = mask.text(base64(config));
    const read: unknown = JSON.parse(Buffer.from(masked, 'base64').toString());
    expect(read).toMatchObject({ auths: { 'registry.example': { username: 'edge', password: expect.stringMatching(/^masked-\d$/) } } });
    expect(masked).not.toContain('hunter');
    expect(JSON.stringify(read)).not.toContain(base64('edge:hunter22222'));
  });

  it('given a config map, when it is learned, then nothing is masked', () => {
    const mask = new SecretMask();
    mask.learnObject({ ...aSecret({ key: 'plain-value-of-it' }), kind: 'ConfigMap' });
    expect(mask.value({ value: 'plain-value-of-it' })).toEqual({ value: 'plain-value-of-it' });
  });
});
