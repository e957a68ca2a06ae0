// The authority that signs the nodes' certificates: made once, kept with its key in one file of its own. Losing it means that every node joins again.
import type { CertificatePair } from '../../ports/certificates-port.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import type { JoinCertificatesPort } from '../../ports/join-certificates-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';

const dayMs = 86_400_000;
const authorityLifeMs = 20 * 365 * dayMs;
const fileBytesMax = 64 * 1024;

export interface AuthorityDeps {
  readonly files: FilesPort;
  readonly clock: ClockPort;
  readonly certificates: JoinCertificatesPort;
  readonly directory: string;
}

/** Also writes `authority.crt`, the half that is no secret, for the broker (mosquitto: `cafile`). */
export async function joinAuthority({ files, clock, certificates, directory }: AuthorityDeps): Promise<Result<CertificatePair, string>> {
  const path = `${directory}/authority.pem`;
  const found = await files.read(path, { bytesMax: fileBytesMax });
  if (!found.ok && found.fault.kind !== 'not-found') return fail(found.fault.message);
  if (found.ok) {
    const [, cert, key] = /^(-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n)([^]+)$/.exec(new TextDecoder().decode(found.value)) ?? [];
    // Never made anew where something is there: all nodes would be locked out.
    if (cert === undefined || key === undefined || !certificates.isKeyOf(key, cert)) return fail(`${path}: is not an authority with its key; put the right one there, or move it away to begin anew`);
    return ok({ cert, key });
  }
  const nowMs = clock.nowMs();
  const pair = certificates.makeAuthority('mqlet nodes', { notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + authorityLifeMs });
  const made = await files.makeDirectory(directory, { mode: 0o711 });
  if (!made.ok) return fail(made.fault.message);
  for (const [name, content, mode] of [['authority.crt', pair.cert, 0o644], ['authority.pem', pair.cert + pair.key, 0o600]] as const) {
    const written = await files.writeAtomic(`${directory}/${name}`, content, { mode });
    if (!written.ok) return fail(written.fault.message);
  }
  return ok(pair);
}
