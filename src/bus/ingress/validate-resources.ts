// What a container asks of the machine: amounts, huge pages, and what a change of them may do to it. Checks only.
import { parseQuantity } from '../../ports/quantity.ts';
import type { AnyContainer, Quantities } from './pod-parts.ts';
import { element, entry, field, type Path, type Problems } from './problems.ts';
import type { ContainerContext } from './validate-container.ts';
import { notResourceName } from './validate-handlers.ts';

const resizedResources = ['cpu', 'memory'] as const;
const resizePolicies = ['NotRequired', 'RestartContainer'] as const;
const hugePagesPrefix = 'hugepages-';

export function validateResources(container: AnyContainer, path: Path, context: ContainerContext): void {
  const { requests = {}, limits = {} } = container.resources ?? {};
  const at = field(path, 'resources');
  validateAmounts(requests, limits, at, context.problems);
  validateHugePages(requests, limits, at, context.problems);
  validateResizePolicy(container, field(path, 'resizePolicy'), context);
}

function validateAmounts(requests: Quantities, limits: Quantities, path: Path, problems: Problems): void {
  for (const [list, quantities] of [['limits', limits], ['requests', requests]] as const) {
    for (const [name, quantity] of Object.entries(quantities)) {
      // A request made of its limit by default says nothing new.
      if (list === 'requests' && limits[name] === quantity) continue;
      const at = entry(field(path, list), name);
      const detail = notResourceName(name);
      if (detail !== undefined) problems.invalid(at, name, detail);
      const amount = parseQuantity(quantity) ?? 0;
      if (amount < 0) problems.invalid(at, quantity, 'must be greater than or equal to 0');
      else if (!Number.isInteger(amount) && name.includes('/')) problems.invalid(at, quantity, 'must be an integer');
    }
  }
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit === undefined || (parseQuantity(request) ?? 0) <= (parseQuantity(limit) ?? 0)) continue;
    problems.invalid(entry(field(path, 'requests'), name), request, `must be less than or equal to ${name} limit of ${limit}`);
  }
}

/** Pages are the container's or nobody's: there is no more of them than asked for. */
function validateHugePages(requests: Quantities, limits: Quantities, path: Path, problems: Problems): void {
  const pages = [...new Set([...Object.keys(requests), ...Object.keys(limits)])].filter((name) => name.startsWith(hugePagesPrefix));
  if (pages.length === 0) return;
  for (const name of pages) {
    const [request, limit] = [requests[name], limits[name]];
    if (limit === undefined) problems.required(entry(field(path, 'limits'), name), 'Limit must be set for non overcommitable resources');
    else if (request !== undefined && parseQuantity(request) !== parseQuantity(limit)) {
      problems.invalid(entry(field(path, 'requests'), name), request, `must be equal to ${name} limit of ${limit}`);
    }
  }
  if (!['cpu', 'memory'].some((name) => requests[name] !== undefined || limits[name] !== undefined)) problems.required(path, 'HugePages require cpu or memory');
}

function validateResizePolicy(container: AnyContainer, path: Path, { kind, podRestartPolicy, problems }: ContainerContext): void {
  const policies = container.resizePolicy ?? [];
  if (policies.length === 0) return;
  if (kind === 'initContainers' && container.restartPolicy !== 'Always') return problems.invalid(path, policies, 'must not be set for init containers');
  const seen = new Set<string>();
  for (const [index, { resourceName, restartPolicy }] of policies.entries()) {
    const at = element(path, index);
    if (!resourceName) problems.required(field(at, 'resourceName'));
    else if (!resizedResources.some((name) => name === resourceName)) problems.unsupported(field(at, 'resourceName'), resourceName, resizedResources);
    else if (seen.has(resourceName)) problems.duplicate(at, resourceName);
    seen.add(resourceName);
    if (!restartPolicy) problems.required(field(at, 'restartPolicy'));
    else if (!resizePolicies.some((policy) => policy === restartPolicy)) problems.unsupported(field(at, 'restartPolicy'), restartPolicy, resizePolicies);
    else if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      problems.invalid(field(at, 'restartPolicy'), restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'");
    }
  }
}
