// The limits of a sandbox, run into from inside: with control groups, and without, as an ordinary user's
// sandboxes are. That each of them is set is container-guards.test.ts's; here is what happens then.

import { mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { canMakeControlGroups } from '../../supervisor/sandbox/host.ts'
import { defaultLimits } from '../../supervisor/sandbox/oci-spec.ts'
import { createCaseTable } from '../support/case-table.ts'
import {
  buildProbe,
  type ConfigChange,
  type ProbeReport,
  runProbe,
} from '../support/probed-sandbox.ts'

const { EAGAIN, EFBIG, EMFILE, ENOMEM, EPERM } = constants.errno
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-limits-'))
const addon = buildProbe(folder, 'hostile-limits')
const isRoot = process.getuid?.() === 0
if (addon === undefined) console.warn('skipped: limits from inside (no C compiler on this machine)')
const table = createCaseTable('limits, run into from inside')

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  table.print()
})

const rlimitsSchema = z.object({
  process: z.object({ rlimits: z.array(z.looseObject({ type: z.string() })) }),
})

const probe = (canLimit: boolean, change?: ConfigChange) =>
  runProbe(addon ?? '', 9, { canLimit, ...(change === undefined ? {} : { change }) })

/** What is tried, what the kernel says, and which limit it is. */
const endsOf = (canLimit: boolean): readonly (readonly [string, number, string])[] => [
  ['map-4-GiB', ENOMEM, 'RLIMIT_DATA'],
  ['write-at-1-GiB', EFBIG, 'RLIMIT_FSIZE'],
  ['lock-memory', EPERM, 'RLIMIT_MEMLOCK'],
  ['open-files', EMFILE, 'RLIMIT_NOFILE'],
  // The kernel bounds the processes of everybody but root; control groups bound threads of all.
  ...(canLimit ? [['threads', EAGAIN, 'pids'] as const] : []),
  ...(!canLimit && !isRoot ? [['threads', EAGAIN, 'RLIMIT_NPROC'] as const] : []),
]

describe.skipIf(addon === undefined).each([
  { kind: 'control groups', canLimit: true },
  { kind: 'resource limits alone', canLimit: false },
])('with $kind', ({ kind, canLimit }) => {
  const isPossible = !canLimit || canMakeControlGroups()
  let report: ProbeReport

  beforeAll(async () => {
    if (isPossible) report = await probe(canLimit)
  })

  it.skipIf(!isPossible).each(endsOf(canLimit))('C03 %s ends with errno %i', (name, errno, by) => {
    expect(report.calls[name]).toBe(errno)
    table.add('C03', `${name}, ${kind}`, by, `errno ${errno}`)
  })

  it.skipIf(!isPossible || (!canLimit && isRoot))(
    'C03 a flood of threads stays below its bound',
    () => {
      expect(report.calls['thread-count']).toBeGreaterThan(0)
      expect(report.calls['thread-count']).toBeLessThan(defaultLimits.pids)
    },
  )
})

describe.skipIf(addon === undefined)('without one limit', () => {
  it.each([
    ['map-4-GiB', 'RLIMIT_DATA'],
    ['write-at-1-GiB', 'RLIMIT_FSIZE'],
    ['lock-memory', 'RLIMIT_MEMLOCK'],
  ])('C03 %s is let through (%s)', async (name, type) => {
    const { rlimits } = rlimitsSchema.parse((await probe(false)).config).process
    const value = rlimits.filter((one) => one.type !== type)
    expect(value).toHaveLength(rlimits.length - 1)
    const { calls } = await probe(false, { at: ['process', 'rlimits'], value })
    expect(calls[name]).toBe(0)
  })
})
