// Tokens that nobody can guess, from the machine's randomness.
import { randomBytes } from 'node:crypto';

const tokenBytes = 24;

/** 192 random bits, as text that fits into a URL. */
export function newAccessToken(): string {
  return randomBytes(tokenBytes).toString('base64url');
}
