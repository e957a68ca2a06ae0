// Probes and lifecycle handlers: exactly one way each, numbers in range. Checks only.
import type { Handler, Probe } from './pod-parts.ts';
import { notPortName, notPortNumber, notQualifiedName } from './field-formats.ts';
import { field, element, type Path, type Problems } from './problems.ts';

const probeHandlers = ['exec', 'httpGet', 'tcpSocket', 'grpc'] as const;
const lifecycleHandlers = ['exec', 'httpGet', 'tcpSocket', 'sleep'] as const;
const probeNumbers = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const;

type AnyHandler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<Handler, 'sleep'>;

export type ProbeKind = 'livenessProbe' | 'readinessProbe' | 'startupProbe';

export function validateProbe(probe: Probe, path: Path, options: { readonly kind: ProbeKind; readonly problems: Problems }): void {
  const { kind, problems } = options;
  validateHandler(probe, probeHandlers, path, problems);
  for (const name of probeNumbers) {
    const value = probe[name];
    if (value !== undefined && value < 0) problems.invalid(field(path, name), value, 'must be greater than or equal to 0');
  }
  if (kind !== 'readinessProbe' && probe.successThreshold !== undefined && probe.successThreshold !== 1) {
    problems.invalid(field(path, 'successThreshold'), probe.successThreshold, 'must be 1');
  }
  const grace = probe.terminationGracePeriodSeconds;
  if (grace === undefined) return;
  const gracePath = field(path, 'terminationGracePeriodSeconds');
  if (kind === 'readinessProbe') problems.invalid(gracePath, grace, 'must not be set for readinessProbes');
  else if (grace <= 0) problems.invalid(gracePath, grace, 'must be greater than 0');
}

export function validateLifecycleHandler(handler: Handler, path: Path, problems: Problems): void {
  validateHandler(handler, lifecycleHandlers, path, problems);
}

function validateHandler(handler: AnyHandler, kinds: readonly (keyof AnyHandler)[], path: Path, problems: Problems): void {
  const given = kinds.filter((kind) => handler[kind] !== undefined);
  if (given.length === 0) problems.required(path, `one of ${kinds.join(', ')} must be given`);
  for (const extra of given.slice(1)) problems.forbidden(field(path, extra), 'may not specify more than 1 handler type');
  if (handler.exec !== undefined && (handler.exec.command ?? []).length === 0) problems.required(field(field(path, 'exec'), 'command'));
  if (handler.httpGet !== undefined) validateHttpGet(handler.httpGet, field(path, 'httpGet'), problems);
  if (handler.tcpSocket !== undefined) validatePort(handler.tcpSocket.port, field(field(path, 'tcpSocket'), 'port'), problems);
  if (handler.grpc !== undefined) validatePort(handler.grpc.port, field(field(path, 'grpc'), 'port'), problems);
  if (handler.sleep !== undefined && !(handler.sleep.seconds >= 0)) {
    problems.invalid(field(field(path, 'sleep'), 'seconds'), handler.sleep.seconds, 'must be greater than or equal to 0');
  }
}

function validateHttpGet(get: NonNullable<Handler['httpGet']>, path: Path, problems: Problems): void {
  validatePort(get.port, field(path, 'port'), problems);
  if (get.scheme !== undefined && get.scheme !== 'HTTP' && get.scheme !== 'HTTPS') {
    problems.unsupported(field(path, 'scheme'), get.scheme, ['HTTP', 'HTTPS']);
  }
  for (const [index, header] of (get.httpHeaders ?? []).entries()) {
    // RFC 9110 tokens; anything else could split the request.
    if (!/^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/.test(header.name ?? '')) {
      problems.invalid(field(element(field(path, 'httpHeaders'), index), 'name'), header.name ?? '', 'must be an HTTP header name');
    }
  }
}

/** @param port undefined where the field is missing, although the API's type requires it */
function validatePort(port: number | string | undefined, path: Path, problems: Problems): void {
  if (port === undefined) return problems.required(path);
  const detail = typeof port === 'number' ? notPortNumber(port) : notPortName(port);
  if (detail !== undefined) problems.invalid(path, port, detail);
}

/** A quantity's name: `cpu`, `memory`, …, or an extended resource with its domain. */
export function notResourceName(name: string): string | undefined {
  const wrong = notQualifiedName(name);
  if (wrong !== undefined || name.includes('/')) return wrong;
  if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-')) return undefined;
  return 'must be cpu, memory, ephemeral-storage, hugepages-<size>, or a name with a domain such as example.com/device';
}
