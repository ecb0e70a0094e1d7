// Three suites: `unit` (pure, no servers), `integration` (real servers, each started by the test
// that needs it) and `full` (long runs: fresh clones, other users, fuzzing at length).

import { defineConfig } from 'vitest/config'

const minutes = 60_000
/** What is waited for comes when the machine has time for it; a second is a timed test. */
const waiting = { poll: { timeout: 20_000 } }

export default defineConfig({
  test: {
    // Two cores: a real server beside another real server is slower than one after the other.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/full/**', 'test/adversarial/**'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/adversarial/**/*.test.ts'],
          testTimeout: 2 * minutes,
          hookTimeout: 2 * minutes,
          fileParallelism: false,
          expect: waiting,
        },
      },
      {
        test: {
          name: 'full',
          include: ['test/full/**/*.test.ts'],
          testTimeout: 20 * minutes,
          hookTimeout: 20 * minutes,
          fileParallelism: false,
          expect: waiting,
        },
      },
    ],
  },
})
