// Who may ask what of kubelet's API, and how long an answer is believed.
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';
import { KubeletAccess } from '../../../src/bridge/kubelet-api/kubelet-access.ts';
import type { AccessReviewPort } from '../../../src/ports/access-review-port.ts';
import type { KubeletRequest } from '../../../src/ports/kubelet-listener-port.ts';
import { fail, ok } from '../../../src/ports/result.ts';

const attributes = { verb: 'get', resource: 'nodes', name: 'edge-07', subresource: 'proxy' };
const request: KubeletRequest = { method: 'GET', path: '/pods', query: [], host: 'edge-07', isUpgrade: false, wantsJson: false };
const certificate = { commonName: 'api-server', organizations: ['system:masters'] };

class Reviews implements AccessReviewPort {
  readonly asked: string[] = [];
  isDown = false;

  reviewToken(token: string) {
    this.asked.push(`token ${token}`);
    if (this.isDown) return Promise.resolve(fail({ code: 503, reason: 'ServiceUnavailable', message: 'down' }));
    return Promise.resolve(ok(token === 'good' ? { name: 'ann', groups: ['staff'] } : undefined));
  }

  reviewAccess({ name }: { readonly name: string }) {
    this.asked.push(`access ${name}`);
    return Promise.resolve(ok(name === 'ann'));
  }
}

describe('access to kubelet\'s API', () => {
  it('given nobody who reviews, when somebody shows a certificate, then he may; and nobody else', async () => {
    const access = new KubeletAccess({ reviews: undefined, clock: new VirtualClock(), hash: (token) => token });
    expect(await access.decide({ ...request, certificate }, attributes)).toEqual({ allowed: true });
    expect(await access.decide({ ...request, bearerToken: 'good' }, attributes)).toMatchObject({ allowed: false, status: 401 });
    expect(await access.decide(request, attributes)).toMatchObject({ allowed: false, status: 401, message: 'Unauthorized' });
  });

  it('given a reviewer, when users come, then each may what he is allowed, in kubelet\'s words', async () => {
    const access = new KubeletAccess({ reviews: new Reviews(), clock: new VirtualClock(), hash: (token) => token });
    expect(await access.decide({ ...request, bearerToken: 'good' }, attributes)).toEqual({ allowed: true });
    expect(await access.decide({ ...request, bearerToken: 'bad' }, attributes)).toMatchObject({ status: 401 });
    expect(await access.decide({ ...request, certificate }, attributes)).toEqual({
      allowed: false, status: 403, message: 'Forbidden (user=api-server, verb=get, resource=nodes, subresource(s)=[proxy])',
    });
  });

  it('given answers, when the same is asked again, then they are believed for a while', async () => {
    const [reviews, clock] = [new Reviews(), new VirtualClock()];
    const access = new KubeletAccess({ reviews, clock, hash: (token) => token });
    const ask = () => access.decide({ ...request, bearerToken: 'good' }, attributes);
    await ask();
    await ask();
    expect(reviews.asked).toEqual(['token good', 'access ann']);
    await clock.advance(121_000);
    await ask();
    expect(reviews.asked).toEqual(['token good', 'access ann', 'token good']);
    await clock.advance(200_000);
    await ask();
    expect(reviews.asked.at(-1)).toBe('access ann');
  });

  it('given a reviewer who is away, when a token is shown, then nobody is let in, and he is asked again', async () => {
    const reviews = new Reviews();
    const access = new KubeletAccess({ reviews, clock: new VirtualClock(), hash: (token) => token });
    reviews.isDown = true;
    expect(await access.decide({ ...request, bearerToken: 'good' }, attributes)).toMatchObject({ allowed: false, status: 401 });
    reviews.isDown = false;
    expect(await access.decide({ ...request, bearerToken: 'good' }, attributes)).toEqual({ allowed: true });
  });
});
