// How the tests run: everything in parallel in processes of its own, but what runs on a real containerd, or drives a browser, one file after another.
import { defineConfig } from 'vitest/config';

// XState warns of our mistakes only under this condition; Node resolves the packages, so Node must be told.
const execArgv = ['--conditions=development'];

export default defineConfig({
  test: {
    pool: 'forks',
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: ['test/containerd/**', 'test/packaging/**', 'test/browser/**'],
          pool: 'forks',
          execArgv,
          testTimeout: 20_000,
          hookTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'containerd',
          include: ['test/containerd/**/*.test.ts', 'test/packaging/**/*.test.ts'],
          pool: 'forks',
          execArgv,
          // One containerd at a time: the tests measure waits in seconds and share the machine's bridge, cgroups and CPU.
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          pool: 'forks',
          execArgv,
          // Where the built page is found: the runner's own script is elsewhere.
          env: { MQLET_HOME: import.meta.dirname },
          globalSetup: ['test/browser/support/build-page.ts'],
          // One browser at a time, and nothing beside it: what a click costs is measured.
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
