// `mqlet apply` and `mqlet delete`: hand manifests and names to the node, tell what became of each.
import { parseAllDocuments } from 'yaml';
import type { AdminClient, PodPlace } from './admin-client.ts';
import type { VerbWorld } from './get.ts';
import type { VerbOptions } from './options.ts';
import { exitRefused, Refusal, wrongUsage } from './refusal.ts';
import type { Terminal } from './terminal.ts';

/** How long a deletion may take beyond its grace period before waiting is given up. */
const goneSecondsMax = 60;
const graceSecondsDefault = 30;
const aliasCountMax = 100;

/** @throws Refusal */
export async function runApply(options: VerbOptions, { client, terminal }: VerbWorld): Promise<number> {
  if (options.words.length > 0) throw wrongUsage(`apply takes files, each behind its own -f: mqlet apply -f ${options.words[0]}`);
  if (options.files.length === 0) throw wrongUsage('apply what? mqlet apply -f FILE, or -f - for standard input');
  if (options.explain && !options.dryRun) throw wrongUsage('--explain tells what --dry-run found: mqlet apply --dry-run --explain -f FILE');
  if (options.dryRun) {
    const { runDryRun } = await import('./dry-run.ts');
    return runDryRun(options, terminal);
  }
  let failed = false;
  for (const file of options.files) {
    const { applied, faults } = await client.apply(await readManifest(file, terminal), { dryRun: false });
    for (const { name, namespace, result } of applied) terminal.print(`pod/${name} ${result}${namespace === 'default' ? '' : ` in ${namespace}`}\n`);
    for (const { severity, line } of faults) terminal.complain(`${severity}: ${line.replace(/^admin(?=[:\s])/, file === '-' ? 'standard input' : file)}`);
    if (applied.length === 0 && faults.length === 0) terminal.complain(`error: ${file === '-' ? 'standard input' : file}: there is no pod in it`);
    failed ||= applied.length === 0 || faults.some(({ severity }) => severity === 'error');
  }
  return failed ? exitRefused : 0;
}

/** @throws Refusal */
export async function runDelete(options: VerbOptions, { client, terminal }: VerbWorld): Promise<number> {
  const places = await placesOf(options, terminal);
  const graceSeconds = options.gracePeriodSeconds ?? (options.force ? 0 : undefined);
  let failed = false;
  for (const place of places) {
    try {
      const { applied: [deleted] } = await client.remove(place, graceSeconds === undefined ? {} : { graceSeconds });
      if (options.wait && !options.force && deleted !== undefined) await waitUntilGone(client, deleted.uid, graceSeconds ?? graceSecondsDefault);
      terminal.print(`pod/${place.name} ${options.force ? 'force deleted' : options.wait ? 'deleted' : 'is being deleted'}${place.namespace === 'default' ? '' : ` from ${place.namespace}`}\n`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      terminal.complain(`error: ${error.message}`);
      failed = true;
    }
  }
  return failed ? exitRefused : 0;
}

async function placesOf(options: VerbOptions, terminal: Terminal): Promise<readonly PodPlace[]> {
  const [kind, ...names] = options.words;
  if (options.files.length > 0) {
    if (kind !== undefined) throw wrongUsage('give names or -f, not both');
    const places: PodPlace[] = [];
    for (const file of options.files) places.push(...podsIn(new TextDecoder().decode(await readManifest(file, terminal)), file));
    return places;
  }
  // `pod/NAME`, as apply prints it.
  if (kind?.startsWith('pod/') === true) return options.words.map((word) => ({ namespace: options.namespace, name: word.replace(/^pod\//, '') }));
  if (kind !== 'pod' && kind !== 'pods' && kind !== 'po') throw wrongUsage('delete what? mqlet delete pod NAME… [-n NAMESPACE], or -f FILE');
  if (names.length === 0) throw wrongUsage('delete which pod? mqlet delete pod NAME… [-n NAMESPACE]');
  return names.map((name) => ({ namespace: options.namespace, name }));
}

/** Only names are read here: a manifest that would be refused can still name what is to go. */
function podsIn(manifest: string, file: string): readonly PodPlace[] {
  const places: PodPlace[] = [];
  for (const document of parseAllDocuments(manifest)) {
    const [error] = document.errors;
    if (error !== undefined) throw new Refusal(`${file}: ${error.message.split('\n')[0] ?? ''}`);
    const object: unknown = document.toJS({ maxAliasCount: aliasCountMax });
    const items = isRecord(object) && Array.isArray(object['items']) ? object['items'] as unknown[] : [object]; // looked at one by one below
    for (const item of items) {
      const metadata = isRecord(item) ? item['metadata'] : undefined;
      if (!isRecord(item) || item['kind'] !== 'Pod' || !isRecord(metadata) || typeof metadata['name'] !== 'string') continue;
      places.push({ namespace: typeof metadata['namespace'] === 'string' ? metadata['namespace'] : 'default', name: metadata['name'] });
    }
  }
  if (places.length === 0) throw new Refusal(`${file}: names no pod`);
  return places;
}

async function waitUntilGone(client: AdminClient, uid: string, graceSeconds: number): Promise<void> {
  let answer = await client.pods();
  for (let round = 0; answer.items.some((row) => row.uid === uid); round++) {
    const waitSeconds = 5;
    if (round * waitSeconds > graceSeconds + goneSecondsMax) throw new Refusal(`the pod is still there; mqlet describe pod tells why`);
    answer = await client.pods({ newer: { after: answer.revision, waitSeconds } });
  }
}

/** @throws Refusal */
export async function readManifest(file: string, terminal: Terminal): Promise<Uint8Array> {
  if (file === '-') return new TextEncoder().encode(await terminal.readStandardInput());
  try {
    return terminal.readFile(file);
  } catch (error) {
    throw new Refusal(`${file}: ${readFault(error)}`);
  }
}

function readFault(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'not permitted';
  return code === 'EISDIR' ? 'is a directory' : String(error);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
