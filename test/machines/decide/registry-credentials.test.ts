// Pull secrets, and which image each of their entries is for.
import { describe, expect, test } from 'vitest';
import { credentialsFor, pullSecretCredentials } from '../../../src/machines/decide/registry-credentials.ts';

const utf8 = new TextEncoder();
const json = (value: unknown) => () => utf8.encode(JSON.stringify(value));
const configJson = 'kubernetes.io/dockerconfigjson';
const basic = (text: string) => Buffer.from(text).toString('base64');

/** The users of the credentials for an image, in the order they are tried; each entry's user is its location. */
function users(locations: readonly string[], image: string): readonly string[] {
  const auths = Object.fromEntries(locations.map((location) => [location, { username: location, password: 'x' }]));
  return credentialsFor(image, pullSecretCredentials(configJson, json({ auths })) ?? []).map(({ username }) => username);
}

describe('credentialsFor', () => {
  test.each<[locations: readonly string[], image: string, expected: readonly string[]]>([
    [['registry.example'], 'registry.example/team/app:1', ['registry.example']],
    [['registry.example'], 'registry.example:5000/app', []],
    [['registry.example:5000'], 'registry.example:5000/app@sha256:00', ['registry.example:5000']],
    [['other.example'], 'registry.example/app', []],
    [['registry.example', 'registry.example/team'], 'registry.example/team/app', ['registry.example/team', 'registry.example']],
    [['registry.example/team'], 'registry.example/other/app', []],
    [['*.example'], 'registry.example/app', ['*.example']],
    [['*.example'], 'deep.registry.example/app', []],
    [['r*y.ex?mple'], 'registry.example/app', ['r*y.ex?mple']],
    [['r*z.example'], 'registry.example/app', []],
    [['https://registry.example/v2/'], 'registry.example/app', ['https://registry.example/v2/']],
    [['https://index.docker.io/v1/'], 'busybox', ['https://index.docker.io/v1/']],
    [['https://index.docker.io/v1/'], 'team/app:2', ['https://index.docker.io/v1/']],
    [['docker.io'], 'busybox:1', ['docker.io']],
    [['index.docker.io'], 'registry.example/app', []],
    [['index.docker.io'], 'localhost/app', []],
  ])('given %j, when %s is pulled, then %j are tried', (locations, image, expected) => {
    expect(users(locations, image)).toEqual(expected);
  });
});

describe('pullSecretCredentials', () => {
  test.each<[name: string, type: string, value: unknown, expected: readonly [string, string][] | undefined]>([
    ['user and password', configJson, { auths: { r: { username: 'u', password: 'p' } } }, [['u', 'p']]],
    ['both in one text', configJson, { auths: { r: { auth: basic('u:p:with:colons') } } }, [['u', 'p:with:colons']]],
    ['the older form', 'kubernetes.io/dockercfg', { r: { auth: basic('u:p') } }, [['u', 'p']]],
    ['an entry that is none', configJson, { auths: { r: 7, s: { username: 'u', password: 'p' } } }, [['u', 'p']]],
    ['no entries', configJson, { credsStore: 'desktop' }, undefined],
    ['another type of secret', 'Opaque', { auths: {} }, undefined],
  ])('given %s, when read, then as docker has it', (_name, type, value, expected) => {
    expect(pullSecretCredentials(type, json(value))?.map(({ auth }) => [auth.username, auth.password])).toEqual(expected);
  });

  test.each(['', '{', '[]', 'null', '"x"', '\u0000'])('given the bytes %j, when read, then nothing, and nothing is thrown', (text) => {
    expect(pullSecretCredentials(configJson, () => utf8.encode(text))).toBeUndefined();
  });
});
