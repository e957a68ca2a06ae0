// One-time tokens in kubeadm's form, and the key that both sides make of one. The secret half never crosses the wire.
import { hkdfSync } from 'node:crypto';

export interface JoinToken {
  /** No secret: names the token in lists and on the wire. */
  readonly id: string;
  /** Seals and opens what is said; as secret as the token. */
  readonly key: Uint8Array;
}

/** kubeadm's bootstrap tokens: six characters, a dot, sixteen. */
const form = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz';
const idLength = 6;
const secretLength = 16;
const salt = 'mqlet join v1';
const keyBytes = 32;

/** @returns undefined for a text that is no token */
export function readToken(text: string): JoinToken | undefined {
  const [, id, secret] = form.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, key: new Uint8Array(hkdfSync('sha256', secret, salt, id, keyBytes)) };
}

export function isTokenId(text: string): boolean {
  return /^[a-z0-9]{6}$/.test(text);
}

/** @param chance at least 256 random bits, hexadecimal; 114 of them are used, evenly */
export function tokenText(chance: string): string {
  let rest = BigInt(`0x${chance}`);
  let text = '';
  for (let index = 0; index < idLength + secretLength; index += 1) {
    text += alphabet[Number(rest % 36n)] ?? '';
    rest /= 36n;
  }
  return `${text.slice(0, idLength)}.${text.slice(idLength)}`;
}
