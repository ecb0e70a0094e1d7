// Three suites: `unit` (pure, no servers), `integration` (real servers, each started by the test
// that needs it) and `full` (long runs: fresh clones, other users, fuzzing at length). Each file has
// servers, folders and ports of its own, so that two run at once: most of what a file of real servers
// does is to wait. What asks how much of the machine there is runs when nothing else does.

import { configDefaults, defineConfig } from 'vitest/config'

const minutes = 60_000
/** What is waited for comes when the machine has time for it; a second is a timed test. */
const waiting = { poll: { timeout: 20_000 } }

/** They see a sandbox use up its share, or fill a disk beside processes that they have stopped. */
const integrationAlone = [
  'test/adversarial/container-limits.test.ts',
  'test/adversarial/floods.test.ts',
  'test/integration/full-disk-running.test.ts',
]
/** They break everything at once, count what a machine gives, or install a clone. */
const fullAlone = [
  'test/full/fresh-clone.test.ts',
  'test/full/nemesis.test.ts',
  'test/full/ordinary-user.test.ts',
  'test/full/soak.test.ts',
]
const integration = { testTimeout: 2 * minutes, hookTimeout: 2 * minutes, expect: waiting }
const full = { testTimeout: 20 * minutes, hookTimeout: 20 * minutes, expect: waiting }

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/full/**', 'test/adversarial/**'],
          testTimeout: 30_000,
          expect: waiting,
          // Bundling the workflows takes seconds of processor.
          hookTimeout: minutes,
        },
      },
      {
        test: {
          ...integration,
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/adversarial/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...integrationAlone],
        },
      },
      {
        test: {
          ...integration,
          name: 'integration-alone',
          include: integrationAlone,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...full,
          name: 'full',
          include: ['test/full/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...fullAlone],
        },
      },
      { test: { ...full, name: 'full-alone', include: fullAlone, fileParallelism: false } },
    ],
  },
})
