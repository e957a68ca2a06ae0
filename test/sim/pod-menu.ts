// The pods of the simulation, drawn at random, and what becomes of each program when nothing goes wrong.
import type { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { programOf } from '../../src/adapters/sim/sim-programs.ts';
import type { Container, Pod, PodSpec } from '../../src/ports/pod-types.ts';

const forever = ['sim/run:1', 'sim/run:2', 'sim/graceful:1', 'sim/slow-term:1500', 'sim/ignore-term:1'] as const;
const ending = ['sim/exit:0-after-2000', 'sim/exit:3-after-4000', 'sim/exit:0', 'sim/crash:1', 'sim/oom:1', 'sim/exit:1-after-60000'] as const;
const broken = ['sim/start-error:1', 'sim/create-error:1', 'registry.example/missing/app:1', 'registry.example/private/app:1'] as const;
const inits = ['sim/exit:0-after-300', 'sim/exit:0-after-1500', 'sim/exit:0', 'sim/exit:1-after-200'] as const;

/** What comes of a container that is let alone. */
export type Fate = { readonly kind: 'runs' } | { readonly kind: 'ends'; readonly exitCode: number } | { readonly kind: 'cannot' };

export function fateOf({ image = '' }: Pick<Container, 'image'>): Fate {
  if (/\b(missing|private)\b/.test(image)) return { kind: 'cannot' };
  const program = programOf(image, []);
  if (program.refuses !== undefined) return { kind: 'cannot' };
  return program.ends === undefined ? { kind: 'runs' } : { kind: 'ends', exitCode: program.ends.exitCode };
}

export function drawPod(random: SeededRandom, name: string): Pod {
  return {
    apiVersion: 'v1', kind: 'Pod',
    metadata: { name, namespace: pick(random, ['default', 'default', 'shop']), labels: { app: name } },
    spec: drawSpec(random),
  };
}

export function drawSpec(random: SeededRandom): PodSpec {
  const count = pick(random, [1, 1, 1, 2, 3]);
  const initContainers = drawInits(random, pick(random, [0, 0, 0, 1, 2]));
  const volumes = pick(random, [{}, {}, {}, { volumes: [{ name: 'scratch', emptyDir: {} }] }, { volumes: [{ name: 'scratch', emptyDir: { medium: 'Memory' } }] }]);
  const withMount = (container: Container): Container => ('volumes' in volumes ? { ...container, volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] } : container);
  return {
    restartPolicy: pick(random, ['Always', 'Always', 'Always', 'OnFailure', 'Never']),
    terminationGracePeriodSeconds: pick(random, [0, 1, 2, 5, 10]),
    ...(random.fraction() < 0.15 ? { hostNetwork: true } : {}),
    ...volumes,
    ...(initContainers.length === 0 ? {} : { initContainers: initContainers.map(withMount) }),
    containers: Array.from({ length: count }, (_, index) => drawApp(random, `app-${index}`)).map(withMount),
  };
}

/** Init containers proper, with now and then one among them that stays. */
function drawInits(random: SeededRandom, count: number): Container[] {
  const drawn = Array.from({ length: count }, (_, index) => drawContainer(random, `init-${index}`, pick(random, inits)));
  if (random.fraction() < 0.15) drawn.splice(random.integer(0, drawn.length), 0, { ...drawContainer(random, 'side-0', pick(random, forever)), restartPolicy: 'Always' });
  return drawn;
}

function drawApp(random: SeededRandom, name: string): Container {
  const probe = () => ({ tcpSocket: { port: 80 }, periodSeconds: random.integer(1, 5), failureThreshold: random.integer(1, 3) });
  const maybe = (chance: number, part: () => Partial<Container>) => (random.fraction() < chance ? part() : {});
  return {
    ...drawContainer(random, name, drawImage(random)),
    resources: { requests: { cpu: '10m' } },
    ...maybe(0.15, () => ({ readinessProbe: probe() })),
    ...maybe(0.1, () => ({ livenessProbe: probe() })),
    ...maybe(0.1, () => ({ startupProbe: probe() })),
    ...maybe(0.1, () => ({ lifecycle: { preStop: { sleep: { seconds: random.integer(1, 3) } } } })),
    ...maybe(0.05, () => ({ lifecycle: { postStart: { httpGet: { port: 80, path: '/started' } } } })),
  };
}

function drawContainer(random: SeededRandom, name: string, image: string): Container {
  return { name, image, imagePullPolicy: pick(random, ['IfNotPresent', 'IfNotPresent', 'Always']) };
}

export function drawImage(random: SeededRandom): string {
  const drawn = random.fraction();
  return drawn < 0.7 ? pick(random, forever) : drawn < 0.93 ? pick(random, ending) : pick(random, broken);
}

export function pick<T>(random: SeededRandom, choices: readonly T[]): T {
  const chosen = choices[random.integer(0, choices.length - 1)];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
}
