// The forms that names and values of the API must have. Each check answers undefined, or what the value must be.
// Names become path segments, labels and file names further in: nothing here lets a slash or a dot-dot through.

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const portName = /^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/;
const uid = /^[A-Za-z0-9][-A-Za-z0-9_.]{0,127}$/;
const sysctlName = /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;

/** RFC 1123 label: names of containers, volumes, namespaces. */
export function notLabel(text: string): string | undefined {
  if (text.length > 63) return 'must be no more than 63 bytes';
  return label.test(text) ? undefined : 'must be lower case letters, digits and "-", with a letter or digit at both ends';
}

/** RFC 1123 subdomain: names of pods, nodes, secrets and most objects. */
export function notSubdomain(text: string): string | undefined {
  if (text.length > 253) return 'must be no more than 253 bytes';
  return subdomain.test(text) ? undefined : 'must be lower case letters, digits, "-" and ".", with a letter or digit at both ends of each part';
}

/** Keys of labels and annotations, resource names, condition types: `[prefix/]name`. */
export function notQualifiedName(text: string): string | undefined {
  const slash = text.indexOf('/');
  const prefix = slash < 0 ? undefined : text.slice(0, slash);
  const name = text.slice(slash + 1);
  if (prefix !== undefined && notSubdomain(prefix) !== undefined) return 'must have a DNS subdomain before its "/"';
  if (name === '' || name.length > 63) return 'must have a name of 1 to 63 bytes';
  return labelValue.test(name) ? undefined : 'must be letters, digits, "-", "_" and ".", with a letter or digit at both ends';
}

export function notLabelValue(text: string): string | undefined {
  if (text.length > 63) return 'must be no more than 63 bytes';
  return labelValue.test(text) ? undefined : 'must be empty, or letters, digits, "-", "_" and ".", with a letter or digit at both ends';
}

/** IANA service name, as named ports have it. */
export function notPortName(text: string): string | undefined {
  if (text.length > 15) return 'must be no more than 15 characters';
  return portName.test(text) ? undefined : 'must be lower case letters, digits and single "-", with at least one letter';
}

export function notPortNumber(value: number): string | undefined {
  return value >= 1 && value <= 65_535 ? undefined : 'must be between 1 and 65535, inclusive';
}

/** Directory names below the root directory: safe as one path segment. */
export function notUid(text: string): string | undefined {
  return uid.test(text) ? undefined : 'must be 1 to 128 letters, digits, "-", "_" and ".", beginning with a letter or digit';
}

export function notIp(text: string): string | undefined {
  return isIpv4(text) || isIpv6(text) ? undefined : 'must be a valid IP address';
}

function isIpv4(text: string): boolean {
  return text.length <= 15 && /^(\d{1,3}\.){3}\d{1,3}$/.test(text)
    && text.split('.').every((part) => Number(part) <= 255 && (part === '0' || !part.startsWith('0')));
}

function isIpv6(text: string): boolean {
  if (text.length > 45 || !text.includes(':')) return false;
  const tail = text.slice(text.lastIndexOf(':') + 1);
  const plain = tail.includes('.') && isIpv4(tail) ? text.slice(0, -tail.length) + '0:0' : text;
  const halves = plain.split('::');
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const complete = halves.length === 1 ? groups.length === 8 : halves.length === 2 && groups.length <= 7;
  return complete && groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group));
}

/** Any printable ASCII but the equals sign. */
export function notEnvName(text: string): string | undefined {
  return /^[ -<>-~]+$/.test(text) ? undefined : 'must be printable ASCII characters other than "="';
}

export function notSysctlName(text: string): string | undefined {
  return text.length <= 253 && sysctlName.test(text) ? undefined : 'must be a sysctl name such as net.ipv4.tcp_syncookies';
}

/** Keys of secrets and config maps: they become file names. */
export function notConfigKey(text: string): string | undefined {
  if (text.length > 253) return 'must be no more than 253 bytes';
  return /^[-._a-zA-Z0-9]+$/.test(text) && text !== '.' && !text.startsWith('..')
    ? undefined : 'must be letters, digits, "-", "_" and ".", and not begin with ".."';
}

/** A path inside a volume: it may not leave it. */
export function notPathInside(text: string): string | undefined {
  if (text.startsWith('/')) return 'must be a relative path';
  return hasParentStep(text) ? 'must not contain ".."' : undefined;
}

export function hasParentStep(path: string): boolean {
  return path.includes('..') && path.split('/').includes('..');
}

/** User and group IDs. */
export function notId(value: number): string | undefined {
  return value >= 0 && value <= 2 ** 31 - 1 ? undefined : 'must be between 0 and 2147483647, inclusive';
}
