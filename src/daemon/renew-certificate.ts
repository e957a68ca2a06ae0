// The next certificate of a running node, in the real world. Loaded when one is due.
import { dirname } from 'node:path';
import { JoinCertificates } from '../adapters/join-certificates.ts';
import { JoinLink } from '../adapters/join-link.ts';
import { NodeFiles } from '../adapters/node-files.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import type { MqttConfig } from '../config/mqtt-config.ts';
import { nodeAuthorityName } from '../join/identity-files.ts';
import { renewIdentity } from '../join/renew-identity.ts';
import { fail, type Result } from '../ports/result.ts';

/** @param mqtt as it was checked: CA, and certificate and key in one file */
export async function renewCertificate({ host, port, tls, files, rootTopic }: MqttConfig, nodeName: string): Promise<Result<{ readonly notAfterMs: number }, { readonly message: string }>> {
  const { ca, cert } = files;
  if (ca === undefined || cert === undefined) return fail({ message: 'no file holds the certificate or the CA' });
  return renewIdentity(
    { link: new JoinLink(), clock: new SystemClock(), certificates: new JoinCertificates(), files: new NodeFiles() },
    { address: { host, port, serverName: tls?.serverName ?? host }, nodeName, rootTopic, nodeFile: cert, brokerAuthorityFile: ca, nodeAuthorityFile: `${dirname(cert)}/${nodeAuthorityName}` },
  );
}
