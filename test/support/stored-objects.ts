// Builders of secrets and config maps as the store keeps them.
import { ObjectData, type StoredObject } from '../../src/ports/stored-object.ts';

const utf8 = new TextEncoder();

export function aSecret(name: string, values: Readonly<Record<string, string>>, part: Partial<StoredObject> = {}): StoredObject {
  return { ...aConfigMap(name, values), kind: 'Secret', type: 'Opaque', ...part };
}

export function aConfigMap(name: string, values: Readonly<Record<string, string>>, part: Partial<StoredObject> = {}): StoredObject {
  const data = new ObjectData(new Map(Object.entries(values).map(([key, value]) => [key, utf8.encode(value)])));
  return { kind: 'ConfigMap', namespace: 'default', name, uid: `uid-${name}`, version: '1', type: '', data, ...part };
}
