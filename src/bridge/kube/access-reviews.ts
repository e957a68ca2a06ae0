// Whom to believe and what they may do, asked of the API server: TokenReview and SubjectAccessReview, as kubelets ask it.
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';
import type { AccessReviewPort } from '../../ports/access-review-port.ts';
import type { KubeApiPort, KubeFault } from '../../ports/kube-api-port.ts';
import type { StreamFault } from '../../ports/node-streams-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';

/** Needs the rights to create both (deploy/bridge/rbac.yaml). */
export function accessReviews(api: KubeApiPort): AccessReviewPort {
  const review = async (group: string, kind: string, spec: JsonObject): Promise<Result<JsonObject, StreamFault>> => {
    const answer = await api.call({ method: 'POST', path: `/apis/${group}/v1/${kind.toLowerCase()}s`, body: { apiVersion: `${group}/v1`, kind, metadata: {}, spec } });
    if (!answer.ok) return fail(streamFault(answer.fault));
    return ok(isJsonObject(answer.value.status) ? answer.value.status : {});
  };
  return {
    async reviewToken(token) {
      const status = await review('authentication.k8s.io', 'TokenReview', { token });
      if (!status.ok) return status;
      const { authenticated, user } = status.value;
      if (authenticated !== true || !isJsonObject(user) || typeof user.username !== 'string') return ok(undefined);
      const groups: readonly unknown[] = Array.isArray(user.groups) ? user.groups : [];
      return ok({ name: user.username, groups: groups.filter((group) => typeof group === 'string') });
    },
    async reviewAccess({ name: user, groups }, { verb, resource, name, subresource }) {
      const status = await review('authorization.k8s.io', 'SubjectAccessReview', { user, groups, resourceAttributes: { verb, version: 'v1', resource, name, subresource } });
      return status.ok ? ok(status.value.allowed === true) : status;
    },
  };
}

function streamFault(fault: KubeFault): StreamFault {
  if (fault.kind === 'unreachable') return { code: 503, reason: 'ServiceUnavailable', message: fault.message };
  const { code = 500, reason = 'InternalError', message = 'the review was refused' } = fault.status;
  return { code, reason, message };
}
