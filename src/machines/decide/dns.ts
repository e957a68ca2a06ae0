// The resolver configuration of a pod. The runtime writes the file.
import type { DesiredPod, PodSpec } from '../../ports/pod-types.ts';
import type { NodeSettings, ResolvConf } from './node-settings.ts';

/** What resolvers of common libraries take; more is cut off. */
export const nameserversMax = 3;
export const searchesMax = 32;
/** Characters of the search list, spaces between the names included. */
export const searchLengthMax = 2_048;

const clusterOptions = ['ndots:5'];
const loopbackResolver: ResolvConf = { servers: ['127.0.0.1'], searches: ['.'], options: [] };

type DnsSettings = Pick<NodeSettings, 'clusterDns' | 'clusterDomain' | 'resolvConf'>;

/** @see kubelet behaviour, "DNS" */
export function podDns(desired: DesiredPod, settings: DnsSettings): ResolvConf {
  const { servers, searches, options } = wholeDns(desired, settings);
  return { servers: servers.slice(0, nameserversMax), searches: fitting(searches), options };
}

/** What a user should know of the resolver that a pod gets, as events: a cluster without a DNS server, and what had to be cut off. */
export function dnsNotes(desired: DesiredPod, settings: DnsSettings): readonly { readonly reason: string; readonly message: string }[] {
  const { dnsPolicy } = desired.pod.spec;
  const falls = usesClusterDns(desired.pod.spec) && settings.clusterDns.length === 0;
  const message = `the node has no ClusterDNS IP configured and cannot create Pod using "${dnsPolicy}" policy. Falling back to "Default" policy.`;
  return [...(falls ? [{ reason: 'MissingClusterDNS', message }] : []), ...dnsOmissions(desired, settings).map((omission) => ({ reason: 'DNSConfigForming', message: omission }))];
}

/** Names that a pod's search line begins with before the host's come. */
const clusterSearchCount = 3;

/**
 * What is too long in the host's own file for pods to get all of it, as kubelet says it once.
 * @returns undefined when it all fits
 */
export function hostResolverNote({ resolvConf, clusterDomain }: Pick<NodeSettings, 'clusterDomain' | 'resolvConf'>): string | undefined {
  if (resolvConf === undefined) return undefined;
  const { searches, file = '/etc/resolv.conf' } = resolvConf;
  const domainsMax = clusterDomain === '' ? searchesMax : searchesMax - clusterSearchCount;
  if (searches.length > domainsMax) return `Resolv.conf file '${file}' contains search line consisting of more than ${domainsMax} domains!`;
  return searches.join(' ').length > searchLengthMax ? `Resolv.conf file '${file}' contains search line which length is more than allowed ${searchLengthMax} chars!` : undefined;
}

/** What had to be cut off, as messages of DNSConfigForming events. */
export function dnsOmissions(desired: DesiredPod, settings: DnsSettings): readonly string[] {
  const whole = wholeDns(desired, settings);
  const { servers, searches } = podDns(desired, settings);
  return [
    ...(searches.length < whole.searches.length ? [`Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`] : []),
    ...(servers.length < whole.servers.length ? [`Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`] : []),
  ];
}

function wholeDns(desired: DesiredPod, settings: DnsSettings): ResolvConf {
  const { spec } = desired.pod;
  const base = baseOf(desired, settings);
  const { nameservers = [], searches = [], options = [] } = spec.dnsConfig ?? {};
  const optionTexts = options.map(({ name = '', value }) => (value === undefined || value === '' ? name : `${name}:${value}`));
  return {
    servers: unique([...base.servers, ...nameservers]),
    searches: unique([...base.searches, ...searches]),
    options: mergedOptions(base.options, optionTexts),
  };
}

function baseOf(desired: DesiredPod, settings: DnsSettings): ResolvConf {
  const host = settings.resolvConf ?? loopbackResolver;
  const { spec } = desired.pod;
  if (spec.dnsPolicy === 'None') return { servers: [], searches: [], options: [] };
  // A cluster without a DNS server leaves the host's.
  if (!usesClusterDns(spec) || settings.clusterDns.length === 0) return host;
  const domain = settings.clusterDomain;
  const clusterSearches = domain === '' ? [] : [`${desired.namespace}.svc.${domain}`, `svc.${domain}`, domain];
  const hostSearches = settings.resolvConf?.searches ?? [];
  return { servers: settings.clusterDns, searches: unique([...clusterSearches, ...hostSearches]), options: clusterOptions };
}

function usesClusterDns({ dnsPolicy, hostNetwork }: PodSpec): boolean {
  if (dnsPolicy === 'ClusterFirstWithHostNet') return true;
  return dnsPolicy === 'ClusterFirst' && hostNetwork !== true;
}

/** A later option of the same name takes the place of the earlier one. */
function mergedOptions(base: readonly string[], own: readonly string[]): readonly string[] {
  const byName = new Map<string, string>();
  for (const option of [...base, ...own]) byName.set(option.split(':', 1)[0] ?? option, option);
  return [...byName.values()];
}

function fitting(searches: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let length = 0;
  for (const search of searches.slice(0, searchesMax)) {
    length += search.length + (kept.length > 0 ? 1 : 0);
    if (length > searchLengthMax) break;
    kept.push(search);
  }
  return kept;
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
