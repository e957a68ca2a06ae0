// Facts of what is on disk: directories with their room and rights, files with secrets, certificates. Writes nothing that stays.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { accessSync, constants, mkdtempSync, readdirSync, rmdirSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { CertificateFileFacts, ClockFacts, PlaceFacts, SecretFileFacts } from '../../ports/doctor-facts.ts';
import { errorCode } from '../files/node-file-faults.ts';
import { factsOf } from '../mqtt/certificates.ts';
import { readSettingsFile } from '../settings-file.ts';

const certificatePattern = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
/** Directory entries looked at for the newest time of change. */
const entriesMax = 1_000;

export type Place = Pick<PlaceFacts, 'what' | 'setting' | 'path'>;

export function readPlace(place: Place): PlaceFacts {
  const stats = statSync(place.path, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isDirectory()) return { ...place, kind: 'other' };
  const nearest = stats === undefined ? nearestParent(place.path) : place.path;
  const unwritable = whyUnwritable(nearest);
  return {
    ...place, kind: stats === undefined ? 'missing' : 'directory', ...roomOf(nearest),
    ...(stats === undefined ? {} : { mode: stats.mode & 0o7777, userId: stats.uid }),
    ...(unwritable === undefined ? {} : { unwritable: stats === undefined ? `cannot be made: ${nearest} ${unwritable}` : unwritable }),
  };
}

function nearestParent(directory: string): string {
  let current = path.dirname(path.resolve(directory));
  while (current !== '/' && statSync(current, { throwIfNoEntry: false }) === undefined) current = path.dirname(current);
  return current;
}

/** Root may write where the mode says no, so that only trying tells. */
function whyUnwritable(directory: string): string | undefined {
  try {
    accessSync(directory, constants.W_OK);
    rmdirSync(mkdtempSync(path.join(directory, '.mqlet-doctor-')));
    return undefined;
  } catch (error) {
    switch (errorCode(error)) {
      case 'EROFS': return 'is on a read-only file system';
      case 'ENOSPC': return 'is on a file system that is full';
      case 'EACCES':
      case 'EPERM': return 'may not be written to';
      default: return error instanceof Error ? error.message : String(error);
    }
  }
}

function roomOf(directory: string): Partial<PlaceFacts> {
  try {
    const { blocks, bavail, bsize, files, ffree } = statfsSync(directory);
    return { device: statSync(directory).dev, capacityBytes: blocks * bsize, availableBytes: bavail * bsize, inodes: files, inodesFree: ffree };
  } catch {
    return {};
  }
}

/** Of the files that are there; one that is missing is the settings' fault, not this one's. */
export function readSecretFiles(files: readonly { readonly setting: string; readonly path: string }[]): readonly SecretFileFacts[] {
  return files.flatMap((file) => {
    const stats = statSync(file.path, { throwIfNoEntry: false });
    return stats?.isFile() === true ? [{ ...file, mode: stats.mode & 0o777, userId: stats.uid }] : [];
  });
}

/** @param files.key of a client certificate, the file of its key */
export function readCertificateFile(file: { readonly setting: string; readonly path: string; readonly key?: string | undefined }): CertificateFileFacts {
  const { setting, path: place } = file;
  const text = readSettingsFile(place);
  if (!text.ok) return { setting, path: place, certificates: [], problem: text.fault.message };
  const blocks = text.value.match(certificatePattern) ?? [];
  if (blocks.length === 0) return { setting, path: place, certificates: [], problem: 'holds no certificate' };
  try {
    const certificates = blocks.map((block) => new X509Certificate(block));
    const keyProblem = file.key === undefined || certificates[0] === undefined ? undefined : keyProblemOf(certificates[0], file.key);
    return { setting, path: place, certificates: certificates.map(factsOf), ...(keyProblem === undefined ? {} : { keyProblem }) };
  } catch (error) {
    return { setting, path: place, certificates: [], problem: error instanceof Error ? error.message : String(error) };
  }
}

function keyProblemOf(certificate: X509Certificate, keyFile: string): string | undefined {
  const text = readSettingsFile(keyFile);
  if (!text.ok) return `its key ${keyFile}: ${text.fault.message}`;
  try {
    return certificate.checkPrivateKey(createPrivateKey(text.value)) ? undefined : `${keyFile} is the key of another certificate`;
  } catch (error) {
    return `its key ${keyFile} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The newest time of change of the files below a directory. */
export function newestFileBelow(directory: string): ClockFacts['newestFile'] {
  let newest: ClockFacts['newestFile'];
  const waiting = [directory];
  for (let looked = 0; looked < entriesMax; looked += 1) {
    const current = waiting.pop();
    if (current === undefined) break;
    const stats = statSync(current, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) waiting.push(...entriesOf(current));
    else if (stats?.isFile() === true && stats.mtimeMs > (newest?.modifiedAtMs ?? 0)) newest = { path: current, modifiedAtMs: stats.mtimeMs };
  }
  return newest;
}

/** Volumes of pods hold files with whatever time pods gave them. */
function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).filter((entry) => !entry.isSymbolicLink() && entry.name !== 'pods').map(({ name }) => path.join(directory, name));
  } catch {
    return [];
  }
}
