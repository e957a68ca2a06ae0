// Topics and credentials of the lite-kubelet dialect (spec A1, A2). Pure text and hashing.
import { createHmac } from 'node:crypto';

/** What every node of a fleet shares. The secret key is the fleet's: never log it. */
export interface LiteFleet {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly instance: string;
  readonly group: string;
}

/**
 * A topic from its parts, cleaned as the dialect cleans file paths: repeated slashes collapse, `.` and `..` are resolved,
 * a trailing slash goes, a leading slash stays.
 */
export function cleanTopic(...parts: readonly string[]): string {
  const joined = parts.filter((part) => part !== '').join('/');
  const rooted = joined.startsWith('/');
  const levels: string[] = [];
  for (const level of joined.split('/')) {
    if (level === '' || level === '.') continue;
    if (level !== '..') levels.push(level);
    else if (levels.length > 0 && levels.at(-1) !== '..') levels.pop();
    else if (!rooted) levels.push('..');
  }
  return (rooted ? '/' : '') + levels.join('/');
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
