// Which names in the manifest directory are manifests. Pure.

/** What editors, package tools and downloads leave beside, or write before, the file that is meant. */
const temporaryNames: readonly RegExp[] = [
  /^\./,
  /~$/,
  /^#.*#$/,
  // Vim tries with this name whether it may write.
  /^4913$/,
  /^sed[A-Za-z0-9]{6}$/,
  /\.(sw[opx]|tmp|temp|bak|orig|rej|old|save|part|partial|filepart|crdownload)$/i,
  /\.(dpkg|ucf)-(old|new|dist|tmp|bak)$/,
  /\.rpm(save|new|orig)$/,
];

/** Any name counts, as for kubelet, but those of hidden and temporary files. */
export function isManifestName(name: string): boolean {
  return !temporaryNames.some((pattern) => pattern.test(name));
}
