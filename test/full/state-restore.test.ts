// A real deployment with an audit of the version before: brought up to date at its start, the copy
// listed, put back while it is down, told what that means, and started once more.

import { lstatSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { z } from 'zod'
import { runCli } from '../support/cli.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { makeEarlier } from '../support/earlier-schema.ts'

const state = mkdtempSync(join(tmpdir(), 'bulkhead-restore-'))
const file = join(state, 'notary', 'audit.db')
let deployment: TestDeployment | undefined

afterAll(async () => {
  await deployment?.stop()
  rmSync(state, { recursive: true, force: true })
})

const start = async () => {
  deployment = await startDeployment({ home: 'sample', state })
}
const stop = async () => {
  await deployment?.stop()
  deployment = undefined
}
const cli = (...args: string[]) => runCli([...args, '--state', state])

async function verify() {
  const { stdout, stderr } = await cli('audit', 'verify', '--json')
  expect(stdout, stderr).not.toBe('')
  const mismatches = z.array(z.object({ what: z.string() }))
  const gaps = z.array(z.object({ what: z.string(), where: z.string() }))
  return z.object({ ok: z.boolean(), rows: z.number(), mismatches, gaps }).parse(JSON.parse(stdout))
}

async function backups() {
  const { stdout } = await cli('state', 'backups', '--json')
  const copies = z.object({ name: z.string(), kind: z.string(), version: z.number() })
  return z.array(copies).parse(JSON.parse(stdout))
}

it('goes forward and back', async () => {
  await start()
  expect((await cli('run', 'morning-briefing')).code).toBe(0)
  await stop()
  makeEarlier(file, 3)
  const before = await verify()
  expect(before).toMatchObject({ ok: true, mismatches: [], gaps: [] })

  await start()
  const { uid, gid } = lstatSync(file)
  const [copy, ...more] = await backups()
  expect([copy, more]).toMatchObject([{ kind: 'before-migration', version: 3 }, []])
  const name = copy?.name ?? ''
  // The notary made it, so it is the notary's and nobody else reads it.
  expect(lstatSync(join(state, 'notary', name))).toMatchObject({ uid, gid, mode: 0o100600 })
  expect((await cli('run', 'morning-briefing')).code).toBe(0)
  const after = await verify()
  expect(after).toMatchObject({ ok: true, mismatches: [], gaps: [] })
  expect(after.rows).toBeGreaterThan(before.rows)

  const refused = await cli('state', 'restore', name)
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toMatch(/ALREADY_RUNNING.*\nnext: npx bulkhead down/)
  await stop()

  const restored = await cli('state', 'restore', name)
  expect(restored, restored.stderr).toMatchObject({ code: 0 })
  expect(restored.stdout).toContain('ROLLED_BACK')
  expect(lstatSync(file)).toMatchObject({ uid, gid, mode: 0o100600 })
  const back = await verify()
  expect(back).toMatchObject({
    ok: false,
    rows: before.rows,
    mismatches: [{ what: 'ROLLED_BACK' }],
  })
  // The ledgers remember the run that it does not.
  expect(new Set(back.gaps.map(({ what }) => what))).toEqual(new Set(['NOT_RECORDED']))
  const kinds = (await backups()).map(({ kind }) => kind)
  expect(kinds).toEqual(['replaced', 'before-migration'])

  await start()
  expect((await cli('run', 'morning-briefing')).code).toBe(0)
  expect((await verify()).mismatches.map(({ what }) => what)).toContain('ROLLED_BACK')
  await stop()

  // And the way back from the way back: no row is missing, and none was changed.
  const aside = (await backups()).find(({ kind }) => kind === 'replaced')
  expect((await cli('state', 'restore', aside?.name ?? '')).code).toBe(0)
  expect((await verify()).rows).toBeGreaterThanOrEqual(after.rows)
}, 300_000)
