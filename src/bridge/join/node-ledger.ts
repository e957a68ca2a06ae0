// Which certificates the nodes were given: so that a name is given to one node, and that what was given can be taken back. Kept on disk
// before a certificate leaves. Taking back writes the list that the broker reads.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { CertificatePair } from '../../ports/certificates-port.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import type { CertificateDetails, JoinCertificatesPort } from '../../ports/join-certificates-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { RecordFiles } from './record-file.ts';

/** Of one node that are good at once; of more the oldest is taken back. Renewals leave two. */
const certificatesMax = 16;
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

  /** On disk when it resolves. @param options.replaces all that the node had before is taken back */
  async give(nodeName: string, { serial, notAfterMs }: Pick<CertificateDetails, 'serial' | 'notAfterMs'>, { replaces }: { readonly replaces: boolean }): Promise<Result<void, string>> {
    const known = await this.of(nodeName);
    if (!known.ok) return known;
    const nowMs = this.#deps.clock.nowMs();
    const good = known.value.filter(({ revokedAtMs }) => revokedAtMs === 0);
    const ended = new Set((replaces ? good : good.slice(0, Math.max(0, good.length + 1 - certificatesMax))).map((one) => one.serial));
    const before = known.value.map((one) => (ended.has(one.serial) ? { ...one, revokedAtMs: nowMs } : one));
    const written = await this.#records.put(nodeName, { node: nodeName, certificates: [...before, { serial, notAfterMs, givenAtMs: nowMs, revokedAtMs: 0 }] });
    if (!written.ok || ended.size === 0) return written;
    return this.writeList();
  }

  /** @returns how many were taken back; 0 where the node has none that is good */
  async revoke(nodeName: string): Promise<Result<number, string>> {
    const known = await this.of(nodeName);
    if (!known.ok) return known;
    const good = known.value.filter(({ revokedAtMs }) => revokedAtMs === 0).length;
    if (good === 0) return ok(0);
    const nowMs = this.#deps.clock.nowMs();
    const written = await this.#records.put(nodeName, { node: nodeName, certificates: known.value.map((one) => (one.revokedAtMs === 0 ? { ...one, revokedAtMs: nowMs } : one)) });
    if (!written.ok) return written;
    const listed = await this.writeList();
    return listed.ok ? ok(good) : listed;
  }

  /** Anew from all records. A list that ends before its authority would lock every node out, so it ends with it. */
  async writeList(): Promise<Result<void, string>> {
    const { files, clock, certificates, authority } = this.#deps;
    const all = await this.#records.all();
    if (!all.ok) return all;
    // A record that cannot be read may hold what was taken back: a list without it would let that in again.
    const [unreadable] = all.value.unreadable;
    if (unreadable !== undefined) return fail(`the list of certificates that were taken back is not written: ${unreadable}`);
    const revoked = all.value.records.flatMap(([, record]) => this.#current(record).certificates).filter(({ revokedAtMs }) => revokedAtMs > 0);
    const notAfterMs = certificates.details(authority.cert)?.notAfterMs ?? 0;
    const list = certificates.revocationList(authority, revoked, { notBeforeMs: clock.nowMs(), notAfterMs });
    const written = await files.writeAtomic(this.listPath, list, { mode: listMode });
    return written.ok ? ok() : fail(written.fault.message);
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
