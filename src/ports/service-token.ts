// Tokens of service accounts as volumes need them: asked for by what they are to be, answered at once with what is known.
import type { PodUid } from './pod-types.ts';
import type { SecretText } from './secret-text.ts';

/** Which token: of whom, for whom, bound to which pod. */
export interface TokenNeed {
  readonly pod: { readonly uid: PodUid; readonly namespace: string; readonly name: string };
  readonly account: string;
  /** Empty: the API server's own. */
  readonly audience: string;
  readonly expirationSeconds: number;
}

export type TokenAnswer =
  | { readonly kind: 'issued'; readonly token: SecretText }
  /** Asked for, not answered yet. `late`: for so long that who can do without shall not wait. */
  | { readonly kind: 'awaited'; readonly late: boolean; readonly message: string }
  /** The cloud gives none to anybody. */
  | { readonly kind: 'unavailable'; readonly message: string }
  /** Refused or lost; it is asked again by and by. */
  | { readonly kind: 'failed'; readonly message: string };

/** Looks the token up as it is now, and sees to it that one comes. */
export type FindToken = (need: TokenNeed) => TokenAnswer;
