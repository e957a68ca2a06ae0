// Reads resolv.conf(5): what pods with dnsPolicy Default get from the host.
import { readSettingsFile } from './settings-file.ts';

export interface HostResolver {
  /** Its path. */
  readonly file: string;
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** @returns undefined when there is no such file; unknown lines are skipped, the last `search` line counts */
export function readResolver(path: string): HostResolver | undefined {
  if (path === '') return undefined;
  const text = readSettingsFile(path);
  if (!text.ok) return undefined;
  const servers: string[] = [];
  const options: string[] = [];
  let searches: readonly string[] = [];
  for (const line of text.value.split('\n')) {
    const [keyword, ...values] = line.replace(/[#;].*$/, '').trim().split(/\s+/);
    if (keyword === 'nameserver' && values[0] !== undefined) servers.push(values[0]);
    else if (keyword === 'search' || keyword === 'domain') searches = values;
    else if (keyword === 'options') options.push(...values);
  }
  return { file: path, servers, searches, options };
}
