// Finds, among the certificates that somebody shows, the authority that a person has named by its hash. Pure but for the port.
import type { JoinCertificatesPort } from '../ports/join-certificates-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import type { JoinFault } from './join-fault.ts';

/** kubeadm's form: of the authority's public key (SubjectPublicKeyInfo). */
export function isPin(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

export interface Pinning {
  /** Any of them will do: an authority that is being replaced has two. */
  readonly pins: readonly string[];
  /** PEM, as shown or as given in a file. */
  readonly certificates: readonly string[];
  /** Who showed them, for messages. */
  readonly where: string;
}

/** The one to trust from now on, PEM. That it has signed what the broker shows is proven afterwards, by a connection that trusts it alone. */
export function pinnedAuthority(port: JoinCertificatesPort, { pins, certificates, where }: Pinning): Result<string, JoinFault> {
  const seen: string[] = [];
  for (const certificate of certificates) {
    const details = port.details(certificate);
    if (details === undefined) continue;
    if (pins.includes(details.keyHash)) return ok(certificate);
    seen.push(`"${details.commonName}" ${details.keyHash}`);
  }
  const shown = seen.length === 0 ? 'it has no certificate' : `it has ${seen.join(', ')}`;
  return fail({
    kind: 'impostor',
    message: `${where}: no certificate has the hash of --discovery-ca-cert-hash, so nothing was said; ${shown}. Either the hash is of another broker, or somebody stands in between, or the broker does not send its CA: then give it with --ca-file`,
  });
}
