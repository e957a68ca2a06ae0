// RuntimePort and ImagesPort around others: counts calls, failures and durations under the kubelet's names. Changes nothing else.
import type { ClockPort } from '../ports/clock-port.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import type { Result } from '../ports/result.ts';
import type { ImagesPort, RuntimePort } from '../ports/runtime-port.ts';
import type { MetricsRegistry } from './metrics-registry.ts';

/** The kubelet's bounds for calls to the runtime: 5 ms growing by 2.5. */
const operationBounds = [0.005, 0.0125, 0.03125, 0.078125, 0.1953125, 0.48828125, 1.220703125, 3.0517578125, 7.62939453125, 19.073486328125, 47.6837158203125, 119.20928955078125, 298.0232238769531, 745.0580596923828];

/** The kubelet's word for each call. */
const runtimeOperations: Readonly<Record<Exclude<keyof RuntimePort, 'watch'>, string>> = {
  version: 'version', status: 'status', handlers: 'status', runSandbox: 'run_podsandbox', stopSandbox: 'stop_podsandbox', removeSandbox: 'remove_podsandbox',
  sandboxStatus: 'podsandbox_status', listSandboxes: 'list_podsandbox', createContainer: 'create_container', startContainer: 'start_container',
  stopContainer: 'stop_container', removeContainer: 'remove_container', containerStatus: 'container_status', listContainers: 'list_containers',
  execSync: 'exec_sync', listUnidentified: 'list_unidentified', reopenLog: 'reopen_container_log',
  updateContainerResources: 'update_container', cgroupDriver: 'runtime_config',
  listContainerStats: 'list_container_stats', listProcessCounts: 'list_podsandbox_stats',
};
const imageOperations: Readonly<Record<keyof ImagesPort, string>> = {
  list: 'list_images', status: 'image_status', pull: 'pull_image', remove: 'remove_image', fsInfo: 'image_fs_info', progress: 'pull_progress',
};

export interface MeteredPorts {
  readonly runtime: RuntimePort;
  readonly images: ImagesPort;
}

export function meterRuntime(ports: MeteredPorts, registry: MetricsRegistry, clock: ClockPort): MeteredPorts {
  const total = registry.counter('kubelet_runtime_operations_total', 'Calls to the runtime, by operation.');
  const errors = registry.counter('kubelet_runtime_operations_errors_total', 'Calls to the runtime that failed, by operation.');
  const duration = registry.histogram('kubelet_runtime_operations_duration_seconds', 'Duration of calls to the runtime, by operation.', operationBounds);
  const measured = <Port extends object>(port: Port, operations: Readonly<Record<string, string>>): Port => {
    const metered: Record<string, unknown> = {};
    for (const [name, operation] of Object.entries(operations)) {
      const labels = { operation_type: operation };
      metered[name] = async (...args: unknown[]): Promise<Result<unknown, RuntimeFault>> => {
        const startedMs = clock.monotonicMs();
        // The table names methods of this port only, and the arguments are passed as they came.
        const method = port[name as keyof Port] as (...args: unknown[]) => Promise<Result<unknown, RuntimeFault>>;
        const answer = await method.apply(port, args);
        total.add(labels);
        if (!answer.ok) errors.add(labels);
        duration.observe((clock.monotonicMs() - startedMs) / 1_000, labels);
        return answer;
      };
    }
    // Every method of the port but `watch`, whose answer is a stream, stands in the table.
    return { ...metered } as Port;
  };
  const runtime = measured(ports.runtime, runtimeOperations);
  return {
    runtime: { ...runtime, watch: (listener) => ports.runtime.watch(listener) },
    images: measured(ports.images, imageOperations),
  };
}
