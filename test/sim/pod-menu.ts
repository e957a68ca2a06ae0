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
  const initCount = pick(random, [0, 0, 0, 1, 2]);
  return {
    restartPolicy: pick(random, ['Always', 'Always', 'Always', 'OnFailure', 'Never']),
    terminationGracePeriodSeconds: pick(random, [0, 1, 2, 5, 10]),
    ...(random.fraction() < 0.15 ? { hostNetwork: true } : {}),
    ...(random.fraction() < 0.2 ? { volumes: [{ name: 'scratch', emptyDir: {} }] } : {}),
    ...(initCount === 0 ? {} : { initContainers: Array.from({ length: initCount }, (_, index) => drawContainer(random, `init-${index}`, pick(random, inits))) }),
    containers: Array.from({ length: count }, (_, index) => drawContainer(random, `app-${index}`, drawImage(random))),
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
