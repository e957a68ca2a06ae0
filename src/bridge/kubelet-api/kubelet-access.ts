// Who may ask what of kubelet's API, as kubelets decide it: a client certificate or a token names the user, an access review allows or
// denies, and both are remembered for a while. @see kubelet behaviour, "Authentication and authorisation"
import type { AccessAttributes, AccessReviewPort, ReviewedUser } from '../../ports/access-review-port.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { KubeletRequest } from '../../ports/kubelet-listener-port.ts';

/** kubelet's cacheTTL, cacheAuthorizedTTL and cacheUnauthorizedTTL. */
const tokenMs = 120_000;
const allowedMs = 300_000;
const deniedMs = 30_000;
/** Answers remembered; the oldest leave first. */
const answersMax = 2_000;

export type AccessDecision = { readonly allowed: true } | { readonly allowed: false; readonly status: 401 | 403 | 500; readonly message: string };

interface Remembered<T> {
  readonly value: T;
  readonly untilMs: number;
}

export class KubeletAccess {
  readonly #reviews: AccessReviewPort | undefined;
  readonly #clock: ClockPort;
  readonly #hash: (token: string) => string;
  readonly #users = new Map<string, Remembered<ReviewedUser | undefined>>();
  readonly #verdicts = new Map<string, Remembered<boolean>>();

  /** @param deps.reviews absent: whoever shows a certificate of the client authority may do everything, and nobody else anything */
  constructor({ reviews, clock, hash }: { readonly reviews: AccessReviewPort | undefined; readonly clock: ClockPort; hash(token: string): string }) {
    this.#reviews = reviews;
    this.#clock = clock;
    this.#hash = hash;
  }

  async decide(request: KubeletRequest, attributes: AccessAttributes): Promise<AccessDecision> {
    const user = await this.#user(request);
    if (user === undefined) return { allowed: false, status: 401, message: 'Unauthorized' };
    if (this.#reviews === undefined) return { allowed: true };
    const key = JSON.stringify([user.name, user.groups, attributes]);
    const known = this.#fresh(this.#verdicts, key);
    const verdict = known ?? (await this.#review(user, attributes, key));
    if (verdict === undefined) return { allowed: false, status: 500, message: 'Internal Error: access cannot be reviewed now' };
    const { verb, resource, subresource } = attributes;
    if (verdict.value) return { allowed: true };
    return { allowed: false, status: 403, message: `Forbidden (user=${user.name}, verb=${verb}, resource=${resource}, subresource(s)=[${subresource}])` };
  }

  async #review(user: ReviewedUser, attributes: AccessAttributes, key: string): Promise<Remembered<boolean> | undefined> {
    const reviewed = await this.#reviews?.reviewAccess(user, attributes);
    if (reviewed?.ok !== true) return undefined;
    return this.#remember(this.#verdicts, key, reviewed.value, reviewed.value ? allowedMs : deniedMs);
  }

  async #user({ certificate, bearerToken }: KubeletRequest): Promise<ReviewedUser | undefined> {
    if (certificate !== undefined) return { name: certificate.commonName, groups: [...certificate.organizations, 'system:authenticated'] };
    if (bearerToken === undefined || this.#reviews === undefined) return undefined;
    // The token itself is not kept.
    const key = this.#hash(bearerToken);
    const known = this.#fresh(this.#users, key);
    if (known !== undefined) return known.value;
    const reviewed = await this.#reviews.reviewToken(bearerToken);
    return reviewed.ok ? this.#remember(this.#users, key, reviewed.value, tokenMs).value : undefined;
  }

  #fresh<T>(answers: Map<string, Remembered<T>>, key: string): Remembered<T> | undefined {
    const found = answers.get(key);
    return found !== undefined && found.untilMs > this.#clock.monotonicMs() ? found : undefined;
  }

  #remember<T>(answers: Map<string, Remembered<T>>, key: string, value: T, forMs: number): Remembered<T> {
    const remembered = { value, untilMs: this.#clock.monotonicMs() + forMs };
    answers.delete(key);
    answers.set(key, remembered);
    const [oldest] = answers.keys();
    if (answers.size > answersMax && oldest !== undefined) answers.delete(oldest);
    return remembered;
  }
}
