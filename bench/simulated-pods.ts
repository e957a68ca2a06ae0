// Pods of the simulated node: most are well, some end and come back, all of them as a small site has them.
import type { Pod } from '../src/ports/pod-types.ts';

/** @param index each tenth crashes again and again; half of the others are probed */
export function benchPod(index: number, nodeName: string): Pod {
  const crashes = index % 10 === 9;
  const probe = { httpGet: { port: 8080, path: '/healthz' }, periodSeconds: 10 };
  return {
    apiVersion: 'v1', kind: 'Pod', metadata: { name: `web-${index}`, namespace: 'default', labels: { app: 'web' } },
    spec: {
      nodeName, terminationGracePeriodSeconds: 1,
      containers: [{
        name: 'app', image: crashes ? 'registry.example/sim/exit:1-after-500' : 'registry.example/sim/run:1', imagePullPolicy: 'IfNotPresent', env: [{ name: 'INDEX', value: String(index) }],
        resources: { requests: { cpu: '10m', memory: '16Mi' } }, ...(index % 2 === 0 && !crashes ? { readinessProbe: probe, livenessProbe: probe } : {}),
      }],
    },
  };
}
