// Checks of what is on disk: room and rights of the directories, files with secrets, certificates, manifests. Pure.
import type { CertificateFileFacts, ManifestFacts, PlaceFacts, SecretFileFacts } from '../ports/doctor-facts.ts';
import type { CertificateFacts } from '../ports/credentials-port.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import { check, type Finding, sizeText } from './finding.ts';

/** Kubelet's thresholds of hard eviction for the node's file system. */
const availableShareMin = 0.1;
const inodesShareMin = 0.05;
/** Before the end of a certificate: a fifth of its life, at most so long. */
const expiringMsMax = 30 * 86_400_000;
const expiringShare = 0.2;
const linesShownMax = 10;

export function checkPlaces(places: readonly PlaceFacts[]): readonly Finding[] {
  const devices = new Set<number>();
  return places.flatMap((place) => {
    const first = place.device === undefined || !devices.has(place.device);
    if (place.device !== undefined) devices.add(place.device);
    return [...access(place), ...(first ? room(place) : [])];
  });
}

function access({ what, setting, path, kind, mode, unwritable }: PlaceFacts): readonly Finding[] {
  const about = check('places.access', `Directory of ${what}`);
  if (kind === 'other') return [about.fault({ found: `${path} is no directory`, mend: `move it away, or name another directory with ${setting}` })];
  if (unwritable !== undefined) {
    const readOnly = unwritable.includes('read-only');
    return [about.fault({
      found: `${path}: ${unwritable}`, needed: 'to be written to',
      mend: readOnly ? `mount its file system read-write (mount -o remount,rw; dmesg tells whether the disk fails), or name another directory with ${setting}` : `give it to root (chown root ${path}), or name another directory with ${setting}`,
    })];
  }
  if (mode !== undefined && (mode & 0o022) !== 0 && (mode & 0o1000) === 0) {
    return [about.fault({ found: `${path} has mode ${mode.toString(8)}: others may write in it`, needed: 'only root may: whoever writes there runs pods as root', mend: `chmod go-w ${path}` })];
  }
  return [about.good(kind === 'missing' ? `${path} will be made` : path)];
}

function room({ what, path, setting, capacityBytes = 0, availableBytes = 0, inodes = 0, inodesFree = 0 }: PlaceFacts): readonly Finding[] {
  if (capacityBytes === 0) return [];
  const space = check('places.space', `Room for ${what}`);
  const some = check('places.inodes', `Inodes for ${what}`);
  const mend = 'remove what is not needed: ctr -n k8s.io images ls, journalctl --vacuum-size=100M, apt-get clean';
  const percent = (part: number, whole: number): string => `${Math.floor((100 * part) / whole)} %`;
  const share = `${sizeText(availableBytes)} of ${sizeText(capacityBytes)} free (${percent(availableBytes, capacityBytes)}) at ${path}`;
  return [
    availableBytes < capacityBytes * availableShareMin
      ? space.fault({ found: share, needed: `${percent(availableShareMin, 1)}: below it pods are evicted and none are taken`, mend: `${mend}; or name a larger disk with ${setting}` })
      : space.good(share),
    ...(inodes === 0 ? [] : [inodesFree < inodes * inodesShareMin
      ? some.fault({ found: `${inodesFree} of ${inodes} inodes free (${percent(inodesFree, inodes)}) at ${path}`, needed: `${percent(inodesShareMin, 1)}: below it pods are evicted and none are taken`, mend: `many small files fill it (find ${path} -xdev -printf '%h\\n' | sort | uniq -c | sort -n | tail); remove them` })
      : some.good(`${percent(inodesFree, inodes)} free`)]),
  ];
}

export function checkSecretFiles(files: readonly SecretFileFacts[]): readonly Finding[] {
  return files.map(({ setting, path, mode }) => {
    const about = check('secrets.mode', `File of ${setting}`);
    if ((mode & 0o077) === 0) return about.good(`${path}, mode ${mode.toString(8)}`);
    return about.fault({ found: `${path} has mode ${mode.toString(8)}: others may read it`, needed: '600', mend: `chmod 600 ${path}; if others had access to this machine, get a new secret` });
  });
}

export function checkCertificates(files: readonly CertificateFileFacts[], nowMs: number): readonly Finding[] {
  return files.flatMap((file) => {
    const about = check('certificates', `Certificate of ${file.setting}`);
    const { setting, path, problem, certificates, keyProblem } = file;
    if (problem !== undefined) return [about.fault({ found: `${path}: ${problem}`, needed: 'PEM certificates', mend: `put the right file there, or name another with ${setting}` })];
    if (keyProblem !== undefined) return [about.fault({ found: `${path}: ${keyProblem}`, needed: 'the key of this certificate', mend: 'name the pair that was made together with --mqtt-cert-file and --mqtt-key-file' })];
    return certificates.map((one) => {
      const trouble = outOfTime(one, nowMs);
      if (trouble === undefined) return about.good(`${one.subject}, until ${rfc3339Seconds(one.notAfterMs)}`);
      return trouble.soon ? about.warning({ ...trouble.words, mend: `renew ${path}; it is taken up without a restart` }) : about.fault({ ...trouble.words, mend: `renew ${path}, or set the clock if it is wrong` });
    });
  });
}

/** Also of the certificates that a broker shows. */
export function outOfTime({ subject, notBeforeMs, notAfterMs }: CertificateFacts, nowMs: number): { readonly soon: boolean; readonly words: { readonly found: string; readonly needed: string } } | undefined {
  const needed = `the clock of this machine says ${rfc3339Seconds(nowMs)}`;
  if (nowMs < notBeforeMs) return { soon: false, words: { found: `${subject} is not valid before ${rfc3339Seconds(notBeforeMs)}`, needed } };
  if (nowMs >= notAfterMs) return { soon: false, words: { found: `${subject} expired at ${rfc3339Seconds(notAfterMs)}`, needed } };
  const warnFromMs = notAfterMs - Math.min(expiringMsMax, (notAfterMs - notBeforeMs) * expiringShare);
  return nowMs < warnFromMs ? undefined : { soon: true, words: { found: `${subject} expires at ${rfc3339Seconds(notAfterMs)}`, needed } };
}

export function checkManifests(manifests: ManifestFacts | undefined): readonly Finding[] {
  if (manifests === undefined) return [];
  const { path, exists, pods, errors, warnings } = manifests;
  const about = check('manifests', 'Manifests');
  if (!exists) return [about.warning({ found: `${path} does not exist`, needed: 'the directory of --pod-manifest-path', mend: `mkdir -p ${path}; it is watched for until then` })];
  const told = [
    ...errors.slice(0, linesShownMax).map((line) => about.fault({ found: line, needed: 'a manifest that can run here', mend: 'correct the file; mqlet apply --dry-run -f FILE shows what becomes of it' })),
    ...warnings.slice(0, linesShownMax).map((line) => about.warning({ found: line, mend: 'leave the field out, or accept that it has no effect' })),
  ];
  if (told.length > 0) return told;
  return [about.good(`${pods} ${pods === 1 ? 'pod' : 'pods'} in ${path}`)];
}
