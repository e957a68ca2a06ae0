// The identity of a request as bytes: a UUID takes sixteen (docs/wire.md, section 3). Anything else goes as it is. Pure.

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const uuidBytes = 16;

export function correlationOf(identity: string): Uint8Array {
  return uuidPattern.test(identity) ? Buffer.from(identity.replaceAll('-', ''), 'hex') : Buffer.from(identity, 'utf8');
}

export function identityOf(correlation: Uint8Array): string {
  const bytes = Buffer.from(correlation.buffer, correlation.byteOffset, correlation.byteLength);
  if (bytes.length !== uuidBytes) return bytes.toString('utf8');
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
