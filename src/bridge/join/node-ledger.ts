// Which certificates the nodes were given: so that a name is given to one node, and that what was given can be taken back. Kept on disk
// before a certificate leaves. Taking back writes the list that the broker reads.
import { clockSkewMsMax } from '../../bus/join/join-rules.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { CertificatePair } from '../../ports/certificates-port.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import type { CertificateDetails, JoinCertificatesPort } from '../../ports/join-certificates-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { RecordFiles } from './record-file.ts';

/** Of one node that are good at once; of more the oldest is taken back. Renewals leave two. */
const certificatesMax = 16;
/** Renewals of one node; a healthy one needs one in most of a certificate's life, and a few where answers are lost. Further ones are refused. */
const renewalsMax = 16;
const renewalsWithinMs = 30 * 86_400_000;
/** Of one node, those taken back among them: far below what a record's file may have, so that taking back always works. Nothing more is given. */
const entriesMax = 512;
/** The broker reads it as another user. */
const listMode = 0o644;

export interface GivenCertificate {
  readonly serial: string;
  readonly notAfterMs: number;
  readonly givenAtMs: number;
  /** 0: it is good. */
  readonly revokedAtMs: number;
}

export interface NodeRecord {
  readonly node: string;
  /** Oldest first; those that have run out are left out. */
  readonly certificates: readonly GivenCertificate[];
}

export interface GiveFault {
  readonly kind: 'files' | 'not-standing' | 'too-many';
  readonly message: string;
}

/** @property replaces all that the node had before is taken back @property renews the serial that must still be good */
export type GiveTerms = { readonly kind: 'join'; readonly replaces: boolean } | { readonly kind: 'renewal'; readonly renews: string };

export interface Revoked {
  /** How many were taken back; 0 where the node has none that is good. */
  readonly taken: number;
  /** Records that could not be read: what they take back is not in the list. */
  readonly unreadable: readonly string[];
}

export interface LedgerDeps {
  readonly files: FilesPort;
  readonly clock: ClockPort;
  readonly certificates: JoinCertificatesPort;
  readonly directory: string;
  /** Signs the list. */
  readonly authority: CertificatePair;
}

export class NodeLedger {
  readonly #deps: LedgerDeps;
  readonly #records: RecordFiles<NodeRecord>;

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
    this.#records = new RecordFiles({ files: deps.files, directory: `${deps.directory}/nodes`, read: readRecord });
  }

  /** Where brokers find what was taken back (mosquitto: `crlfile`). */
  get listPath(): string {
    return `${this.#deps.directory}/nodes.crl`;
  }

  async list(): Promise<Result<readonly NodeRecord[], string>> {
    const all = await this.#records.all();
    return all.ok ? ok(all.value.records.map(([, record]) => this.#current(record))) : all;
  }

  /** Those that have not run out; none for a node that never joined. */
  async of(nodeName: string): Promise<Result<readonly GivenCertificate[], string>> {
    const record = await this.#records.get(nodeName);
    if (!record.ok) return record;
    return ok(record.value === undefined ? [] : this.#current(record.value).certificates);
  }

  /** On disk when it resolves. What is to be renewed is looked at again here: another process may have taken it back since. */
  async give(nodeName: string, { serial, notAfterMs }: Pick<CertificateDetails, 'serial' | 'notAfterMs'>, terms: GiveTerms): Promise<Result<void, GiveFault>> {
    const known = await this.of(nodeName);
    if (!known.ok) return fail({ kind: 'files', message: known.fault });
    const nowMs = this.#deps.clock.nowMs();
    const good = known.value.filter(({ revokedAtMs }) => revokedAtMs === 0);
    if (known.value.length >= entriesMax) return fail({ kind: 'too-many', message: `the node was given ${entriesMax} certificates that have not run out` });
    if (terms.kind === 'renewal') {
      if (!good.some((one) => one.serial === terms.renews)) return fail({ kind: 'not-standing', message: 'the certificate was revoked' });
      const lately = known.value.filter(({ givenAtMs }) => nowMs - givenAtMs < renewalsWithinMs).length;
      if (lately >= renewalsMax) return fail({ kind: 'too-many', message: `the node was given ${lately} certificates in 30 days` });
    }
    const replaces = terms.kind === 'join' && terms.replaces;
    const ended = new Set((replaces ? good : good.slice(0, Math.max(0, good.length + 1 - certificatesMax))).map((one) => one.serial));
    const before = known.value.map((one) => (ended.has(one.serial) ? { ...one, revokedAtMs: nowMs } : one));
    const written = await this.#records.put(nodeName, { node: nodeName, certificates: [...before, { serial, notAfterMs, givenAtMs: nowMs, revokedAtMs: 0 }] });
    const listed = written.ok && ended.size > 0 ? await this.writeList() : written;
    return listed.ok ? ok() : fail({ kind: 'files', message: listed.fault });
  }

  /** Where all were taken back before, the list is still written: the one before may have failed. */
  async revoke(nodeName: string): Promise<Result<Revoked, string>> {
    const known = await this.of(nodeName);
    if (!known.ok) return known;
    const taken = known.value.filter(({ revokedAtMs }) => revokedAtMs === 0).length;
    if (known.value.length === 0) return ok({ taken, unreadable: [] });
    const nowMs = this.#deps.clock.nowMs();
    const certificates = known.value.map((one) => (one.revokedAtMs === 0 ? { ...one, revokedAtMs: nowMs } : one));
    const written = taken === 0 ? ok() : await this.#records.put(nodeName, { node: nodeName, certificates });
    if (!written.ok) return written;
    const listed = await this.writeList();
    return listed.ok ? ok({ taken, unreadable: listed.value }) : listed;
  }

  /**
   * Anew from all records. A list that ends before its authority would lock every node out, so it ends with it.
   * @returns records that could not be read, a line each: the others shall not wait for them
   */
  async writeList(): Promise<Result<readonly string[], string>> {
    const { files, clock, certificates, authority } = this.#deps;
    const all = await this.#records.all();
    if (!all.ok) return all;
    const revoked = all.value.records.flatMap(([, record]) => this.#current(record).certificates).filter(({ revokedAtMs }) => revokedAtMs > 0);
    const notAfterMs = certificates.details(authority.cert)?.notAfterMs ?? 0;
    const nowMs = clock.nowMs();
    // A broker whose clock is behind would refuse everybody for a list of the future.
    const list = certificates.revocationList(authority, revoked, { notBeforeMs: nowMs - clockSkewMsMax, notAfterMs, numberMs: nowMs });
    const written = await files.writeAtomic(this.listPath, list, { mode: listMode });
    return written.ok ? ok(all.value.unreadable) : fail(written.fault.message);
  }

  #current({ node, certificates }: NodeRecord): NodeRecord {
    const nowMs = this.#deps.clock.nowMs();
    return { node, certificates: certificates.filter(({ notAfterMs }) => notAfterMs > nowMs) };
  }
}

function readRecord({ node, certificates }: Readonly<Record<string, unknown>>): NodeRecord | undefined {
  if (typeof node !== 'string' || !Array.isArray(certificates)) return undefined;
  const read: GivenCertificate[] = [];
  // Of whatever it has, each is looked at.
  for (const one of certificates as readonly unknown[]) {
    if (typeof one !== 'object' || one === null || !('serial' in one) || !('notAfterMs' in one) || !('givenAtMs' in one) || !('revokedAtMs' in one)) return undefined;
    const { serial, notAfterMs, givenAtMs, revokedAtMs } = one;
    if (typeof serial !== 'string' || !/^([0-9a-f]{2})+$/.test(serial) || typeof notAfterMs !== 'number' || typeof givenAtMs !== 'number' || typeof revokedAtMs !== 'number') return undefined;
    read.push({ serial, notAfterMs, givenAtMs, revokedAtMs });
  }
  return { node, certificates: read };
}
