// Whom to believe and what they may do, as an API server knows it: TokenReview and SubjectAccessReview.
import type { StreamFault } from './node-streams-port.ts';
import type { Result } from './result.ts';

export interface ReviewedUser {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface AccessAttributes {
  readonly verb: string;
  readonly resource: string;
  readonly name: string;
  readonly subresource: string;
}

export interface AccessReviewPort {
  /** Undefined: nobody's token. */
  reviewToken(token: string): Promise<Result<ReviewedUser | undefined, StreamFault>>;
  reviewAccess(user: ReviewedUser, attributes: AccessAttributes): Promise<Result<boolean, StreamFault>>;
}
