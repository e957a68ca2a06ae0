// What a device that has joined keeps: a folder of its own for each identity, and the settings that name it. The settings are written
// last and at once: before that, nothing counts, and whatever fails, nothing of it stays.
import { Document, parseDocument } from 'yaml';
import type { FilesPort } from '../ports/files-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import type { JoinFault } from './join-fault.ts';

/** Beside the node's certificate: whoever signs its next ones. */
export const nodeAuthorityName = 'node-ca.pem';
const settingsBytesMax = 1024 * 1024;
const mode = { folder: 0o700, file: 0o600 } as const;
const header = { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' } as const;

export interface IdentityPlace {
  readonly files: FilesPort;
  /** Holds a folder for each identity. */
  readonly directory: string;
  /** The settings of `mqlet run`. */
  readonly settingsFile: string;
}

export interface Identity {
  /** Of its folder: not that of any before. */
  readonly name: string;
  /** PEM. */
  readonly brokerAuthority: string;
  readonly nodeAuthority: string;
  readonly certificate: string;
  /** Secret. */
  readonly key: string;
  /** Settings beside the paths, by their fields. */
  readonly settings: Readonly<Record<string, string | boolean>>;
}

/** The settings as they are; to be looked at before anybody is asked for anything. */
export async function readSettings({ files, settingsFile }: IdentityPlace): Promise<Result<Document, JoinFault>> {
  const content = await files.read(settingsFile, { bytesMax: settingsBytesMax });
  if (!content.ok && content.fault.kind !== 'not-found') return fail({ kind: 'files', message: content.fault.message });
  const text = content.ok ? new TextDecoder().decode(content.value) : '';
  const document: Document = text.trim() === '' ? new Document(header) : parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) return fail({ kind: 'files', message: `${settingsFile}: ${error.message.split('\n')[0] ?? ''}; mend it, or move it away` });
  if (document.contents === null) document.contents = document.createNode(header);
  for (const [field, value] of Object.entries(header)) {
    const found: unknown = document.get(field);
    if (found === undefined) document.set(field, value);
    else if (found !== value) return fail({ kind: 'files', message: `${settingsFile}: ${field} must be ${value}; mend it, or move it away` });
  }
  return ok(document);
}

/** The path of the node's certificate in the settings; undefined where it has none. */
export function certificateIn(settings: Document): string | undefined {
  const found: unknown = settings.get('mqttCertFile');
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** Whatever the settings say beside, comments too, stays. @param settings as `readSettings` gave them */
export async function keepIdentity(place: IdentityPlace, settings: Document, identity: Identity): Promise<Result<void, JoinFault>> {
  const { files, directory, settingsFile } = place;
  const folder = `${directory}/${identity.name}`;
  const node = `${folder}/node.pem`;
  const ca = `${folder}/broker-ca.pem`;
  const made = await files.makeDirectory(folder, { mode: mode.folder });
  const parent = settingsFile.slice(0, Math.max(0, settingsFile.lastIndexOf('/')));
  const madeParent = !made.ok || parent === '' ? made : await files.makeDirectory(parent, { mode: 0o755 });
  if (!madeParent.ok) return undone(place, folder, madeParent.fault.message);
  // Certificate and key in one file: they are renewed at once, and are never of two minds.
  const parts = [[ca, identity.brokerAuthority], [`${folder}/${nodeAuthorityName}`, identity.nodeAuthority], [node, identity.certificate + identity.key]] as const;
  for (const [path, content] of parts) {
    const written = await files.writeAtomic(path, content, { mode: mode.file });
    if (!written.ok) return undone(place, folder, written.fault.message);
  }
  const all = { ...identity.settings, mqttCaFile: ca, mqttCertFile: node, mqttKeyFile: node };
  for (const [field, value] of Object.entries(all)) settings.set(field, value);
  const written = await files.writeAtomic(settingsFile, settings.toString({ lineWidth: 0 }), { mode: mode.file });
  if (!written.ok) {
    // They may be in their place all the same, where only the last step failed: then they need the folder.
    const kept = await readSettings(place);
    if (kept.ok && certificateIn(kept.value) !== node) return undone(place, folder, written.fault.message);
    return fail({ kind: 'files', message: `${written.fault.message}; ${settingsFile} may name the new identity, so ${folder} is kept` });
  }
  await removeOthers(place, { keep: identity.name });
  return ok();
}

async function undone({ files }: IdentityPlace, folder: string, message: string): Promise<Result<never, JoinFault>> {
  const removed = await files.removeTree(folder);
  return fail({ kind: 'files', message: `${message}; nothing was changed${removed.ok ? '' : `, but ${folder} is left: ${removed.fault.message}`}` });
}

/** Former identities, and what an attempt left that ended with the power. */
async function removeOthers({ files, directory }: IdentityPlace, { keep }: { readonly keep: string }): Promise<void> {
  const listed = await files.list(directory);
  if (!listed.ok) return;
  for (const { name, kind } of listed.value) {
    const folder = `${directory}/${name}`;
    const isOurs = /^node-[0-9a-f]{16}$/.test(name) && kind === 'directory';
    if (isOurs && name !== keep) await files.removeTree(folder);
  }
}
