// Secrets and config maps beside pods on the wire: taken with a pod that is in order, ahead of it, each judged alone.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { objectKey } from '../../../src/ports/stored-object.ts';
import { wirePod, WireWorld } from '../../support/wire-world.ts';

const planted = Buffer.from('correct-horse-battery').toString('base64');
const secret = (name: string, data: object = { token: planted }) => ({ metadata: { name, namespace: 'shop' }, data });
const configMap = (name: string) => ({ metadata: { name, namespace: 'shop' }, data: { a: 'b' } });

describe('objects over MQTT', () => {
  let world: WireWorld;
  beforeEach(async () => {
    world = new WireWorld();
    world.link('up');
    await world.clock.settle();
  });
  afterEach(async () => {
    await world.stop();
    expect(world.payloads('actor.failed')).toEqual([]);
  });
  const received = () => world.payloads('object.received').map(({ object }) => objectKey(object));

  it('given a pod with objects, when pushed, then they go ahead of it', () => {
    world.down({ data_type: 'pod', pod_data: wirePod('web'), secrets_data: [secret('keys'), null], configmaps_data: [configMap('files')] });
    expect(world.log.map(({ topic }) => topic).filter((topic) => topic === 'object.received' || topic === 'source.updated')).toEqual(['object.received', 'object.received', 'source.updated']);
    expect(received()).toEqual(['Secret shop/keys', 'ConfigMap shop/files']);
  });

  it('given an answer to a start with objects, when it comes, then they are taken', () => {
    world.answerStart([wirePod('web')], { secret_list: [secret('keys')], config_map_list: [configMap('files')] });
    expect(received()).toEqual(['Secret shop/keys', 'ConfigMap shop/files']);
    expect(world.payloads('source.updated')).toHaveLength(1);
  });

  it('given a pod that is refused, when pushed, then its objects are not taken either', () => {
    world.down({ data_type: 'pod', pod_data: wirePod('web', { spec: { containers: [] } }), secrets_data: [secret('keys')] });
    expect(received()).toEqual([]);
    expect(world.refusals()).toHaveLength(1);
  });

  it('given one bad object, when pushed, then it is one refusal that shows no value, and the others and the pod are taken', () => {
    world.down({ data_type: 'pod', pod_data: wirePod('web'), secrets_data: [secret('bad', { token: `${planted}!` }), secret('keys')] });
    expect(received()).toEqual(['Secret shop/keys']);
    expect(world.refusals()).toEqual(['fleet/ctl/edge-07: secrets_data[0].data.token: must be base64 of the standard alphabet, padded']);
    expect(JSON.stringify(world.log.filter(({ topic }) => topic !== 'mqtt.received'))).not.toContain(planted);
    expect(world.payloads('source.updated')).toHaveLength(1);
  });
});
