// Learns the values of secrets that this node knows, so that they can be taken out of whatever is given away.
import { NodeFiles } from '../../adapters/node-files.ts';
import { recordObject } from '../../bus/disk/record-files.ts';
import { decodeObject, objectBytesMax } from '../../bus/ingress/decode-object.ts';
import type { Config } from '../../config.ts';
import { SecretMask } from '../../replay/secret-mask.ts';

export async function secretsOfNode({ mqtt, rootDir }: Config): Promise<SecretMask> {
  const mask = new SecretMask();
  if (mqtt?.identity.kind === 'password') mask.learn(mqtt.identity.password);
  if (mqtt?.identity.kind === 'signature') mask.learn(mqtt.identity.secretKey);
  const files = new NodeFiles();
  const directory = `${rootDir}/cache/secrets`;
  const listed = await files.list(directory);
  for (const { name, kind } of listed.ok ? listed.value : []) {
    if (kind !== 'file' || !name.endsWith('.json')) continue;
    const read = await files.read(`${directory}/${name}`, { bytesMax: 2 * objectBytesMax });
    const object = read.ok ? recordObject(read.value) : undefined;
    const secret = object === undefined ? undefined : decodeObject('Secret', object);
    if (secret?.ok === true) mask.learnObject(secret.value);
  }
  return mask;
}
