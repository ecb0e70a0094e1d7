// A held run as a person meets it, on a whole deployment: it waits and says what to type, goes on
// when the step is run again, and undoes what it did when it is given up.

import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../support/cli.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'

let deployment: TestDeployment
const base = mkdtempSync(join(tmpdir(), 'bulkhead-recovery-'))
beforeAll(async () => {
  deployment = await startDeployment({ home: 'sample' })
}, 240_000)
afterAll(async () => {
  await deployment.stop()
  rmSync(base, { recursive: true, force: true })
})

const cli = (...args: readonly string[]) => runCli([...args, '--state', deployment.state])

/** Writes a note, and reads a calendar that may not be there. */
function planFor(calendar: string): string {
  const file = join(base, `${calendar}.yaml`)
  const text = `
version: 1
goal: Note down a trip
steps:
  - { id: note, agent: notes, action: append, args: { note: trip-${calendar}, text: before } }
  - id: read
    agent: calendar
    action: list
    needs: [note]
    onError: hold
    args: { calendars: ["${calendar}"], day: today }
  - { id: after, agent: notes, action: append, needs: [read], args: { note: trip-${calendar}, text: after } }
answer: { from: [after] }
`
  writeFileSync(file, text)
  return file
}

async function hold(calendar: string): Promise<string> {
  const requestId = `held-${calendar}`
  const { code, stdout } = await cli('run', planFor(calendar), '--request-id', requestId, '--json')
  expect(code).toBe(1)
  const run = JSON.parse(stdout)
  expect(run).toMatchObject({
    status: 'held',
    steps: [
      { id: 'note', outcome: 'settled' },
      { id: 'read', outcome: 'failed', code: 'NOT_FOUND' },
      { id: 'after', outcome: 'pending' },
    ],
  })
  expect(run.next.map(({ next }: { next: string }) => next)).toEqual([
    `npx bulkhead runs retry ${requestId} read`,
    `npx bulkhead runs give-up ${requestId}`,
  ])
  return requestId
}

describe('a held run', () => {
  it('goes on where it stood, once what was missing is there and the step is run again', async () => {
    const requestId = await hold('trips')
    const resolved = await cli('runs', 'resolve', requestId, 'read', '--happened')
    expect(resolved.code).toBe(1)
    expect(resolved.stderr).toContain('NOT_UNKNOWN')
    const folder = findCalendars(deployment.state)
    copyFileSync(join(folder, 'work.ics'), join(folder, 'trips.ics'))
    const retried = await cli('runs', 'retry', requestId, '--json')
    expect(retried.code, retried.stderr).toBe(0)
    expect(JSON.parse(retried.stdout)).toEqual({
      requestId,
      reruns: [{ step: 'read', rerun: 1 }],
    })
    const { code, stdout } = await cli('runs', 'watch', requestId, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'completed',
      steps: [
        { id: 'note', outcome: 'settled' },
        { id: 'read', outcome: 'settled', rerun: 1 },
        { id: 'after', outcome: 'settled' },
      ],
      audit: { verified: true },
    })
    expect((await cli('audit', 'verify')).code).toBe(0)
  })

  it('undoes what it did when it is given up', async () => {
    const requestId = await hold('nowhere')
    const given = await cli('runs', 'give-up', requestId)
    expect(given.code, given.stderr).toBe(0)
    const { code, stdout } = await cli('runs', 'watch', requestId, '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'failed',
      code: 'NOT_FOUND',
      steps: [{ id: 'note', outcome: 'settled', undo: 'settled' }, {}, { outcome: 'pending' }],
    })
    const again = await cli('runs', 'retry', requestId, 'read')
    expect(again.code).toBe(1)
    expect(again.stderr).toContain('RUN_ABORTING')
  })
})

/** The folder of the sample home's calendars. */
function findCalendars(state: string): string {
  const found = readdirSync(state, { recursive: true, withFileTypes: true }).find(
    (entry) => entry.isFile() && entry.name === 'work.ics',
  )
  if (found === undefined) throw new Error('the sample home has no calendar called work')
  return found.parentPath
}
