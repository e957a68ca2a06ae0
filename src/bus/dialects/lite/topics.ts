// Topics and credentials of the lite-kubelet dialect (spec A1, A2). Pure text and hashing.
import { createHmac } from 'node:crypto';
import { cleanTopic } from '../clean-topic.ts';

/** What every node of a fleet shares. The secret key is the fleet's: never log it. */
export interface LiteFleet {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly instance: string;
  readonly group: string;
}

/** Where all nodes publish; the message names the node, the topic does not. */
export function dataTopic(rootTopic: string): string {
  return cleanTopic(rootTopic, 'data');
}

/** Where one node listens. */
export function controlTopic(rootTopic: string, nodeName: string): string {
  return cleanTopic(rootTopic, 'ctl', nodeName);
}

/** Client id, user name and password of the "Signature" scheme; HMAC-SHA1 over the client id. */
export function liteCredentials(fleet: LiteFleet, nodeName: string): { clientId: string; username: string; password: string } {
  const clientId = `${fleet.group}@@@${nodeName}`;
  return {
    clientId,
    username: `Signature|${fleet.accessKey}|${fleet.instance}`,
    password: createHmac('sha1', fleet.secretKey).update(clientId, 'utf8').digest('base64'),
  };
}
