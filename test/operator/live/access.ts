import { setTimeout } from 'node:timers/promises';
import type { Http } from '../../../operator/kube/http.ts';
import type { PolicyRule } from '../../../operator/rbac.ts';

/**
 * Waits until the API server lets a user do what the rules grant, and nothing of `all` besides: it learns of a changed
 * role a moment after it has taken it.
 *
 * @throws Error with what it still says otherwise about after a minute
 */
export async function untilAuthorized(
  http: Http,
  user: string,
  namespace: string,
  rules: readonly PolicyRule[],
  all: readonly PolicyRule[] = rules,
): Promise<void> {
  const granted = new Set(requestsOf(rules));
  for (const until = Date.now() + 60_000; ; await setTimeout(50)) {
    const wrong: string[] = [];
    for (const request of requestsOf(all)) {
      if ((await isAllowed(http, user, namespace, request)) !== granted.has(request)) wrong.push(request);
    }
    if (wrong.length === 0) return;
    if (Date.now() > until) throw new Error(`the API server hasn't learnt about ${user}: ${wrong.join(', ')}`);
  }
}

/** As `create batch/jobs` or `patch /pods/status`. */
function requestsOf(rules: readonly PolicyRule[]): string[] {
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((of) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${of}/${resource}`))),
  );
}

async function isAllowed(http: Http, user: string, namespace: string, request: string): Promise<boolean> {
  const [, verb, group, resource, subresource] = /^(\w+) ([\w.]*)\/(\w+)(?:\/(\w+))?$/.exec(request)!;
  const { status } = await http.json<{ status: { allowed: boolean } }>({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user, resourceAttributes: { namespace, verb, group, resource, subresource } },
    },
  });
  return status.allowed;
}
