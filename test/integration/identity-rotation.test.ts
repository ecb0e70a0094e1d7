// A running deployment whose certificates, nkeys and encryption keys are replaced while briefings run,
// as a person asks for it: over the control socket. No step fails, nothing is asked twice, and copies
// of what was valid before open nothing afterwards.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type HomeServer, startHomeServer } from '../../examples/home/server.ts'
import { connectBus } from '../../security/bus.ts'
import { currentOf, parseKeyRing } from '../../security/key-ring.ts'
import { brief } from '../support/briefing.ts'
import { runCli } from '../support/cli.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'

const base = mkdtempSync(join(tmpdir(), 'bulkhead-renew-'))
const state = join(base, 'state')
const saved = join(base, 'saved')
const overlapMs = 3_000
const parties = ['supervisor', 'notary', 'worker', 'gateway', 'cli']
let deployment: TestDeployment
let web: HomeServer

const viewSchema = z.object({
  running: z.boolean(),
  lines: z.array(z.string()),
  done: z.array(z.object({ kind: z.string(), retired: z.array(z.string()), current: z.string() })),
  failure: z.object({ code: z.string(), message: z.string() }).optional(),
})
type View = z.infer<typeof viewSchema>

beforeAll(async () => {
  mkdirSync(state, { mode: 0o700 })
  web = await startHomeServer()
  const home = { web: web.origin }
  deployment = await startDeployment({ state, home, leastOverlapMs: overlapMs })
}, 240_000)

afterAll(async () => {
  await deployment.stop()
  await web.close()
  rmSync(base, { recursive: true })
})

/** Briefings one after the other until the rotation has ended, and one after that. */
async function briefWhile(rotation: Promise<View>): Promise<number> {
  let ended = false
  void rotation.finally(() => {
    ended = true
  })
  const runs = [await brief(state)]
  while (!ended) runs.push(await brief(state))
  runs.push(await brief(state))
  for (const { status, steps, audit } of runs) {
    expect(status).toBe('completed')
    expect(steps.map(({ outcome }) => outcome)).toEqual(steps.map(() => 'settled'))
    // Each command went out once: none was lost on a connection that ended.
    expect(steps.map(({ attempts }) => attempts)).toEqual(steps.map(() => 1))
    expect(audit.verified).toBe(true)
  }
  return runs.length
}

async function rotate(kind: string): Promise<View> {
  const asked = `/keys/rotate?kind=${kind}&overlapMs=${overlapMs}`
  const begun = await deployment.control('POST', asked)
  expect(begun.status).toBe(202)
  for (;;) {
    const { body } = await deployment.control('GET', '/keys/rotation')
    const view = viewSchema.parse(body)
    if (!view.running) return view
    await delay(100)
  }
}

/** What the audit says of the rotation of one kind. */
function phases(kind: string): readonly string[] {
  const db = new Database(join(state, 'notary', 'audit.db'), { readonly: true })
  try {
    const rows = db.prepare('SELECT body FROM audit WHERE subject = ? ORDER BY seq').all(kind)
    const bodies = z.array(z.object({ body: z.string() })).parse(rows)
    return bodies.map(({ body }) => z.object({ phase: z.string() }).parse(JSON.parse(body)).phase)
  } finally {
    db.close()
  }
}

function folderOf(party: string): string {
  return join(state, party, 'bus')
}

function save(kind: string): void {
  for (const party of [...parties, ...readdirSync(join(state, 'agents')).filter(isReplica)]) {
    const folder = isReplica(party) ? join(state, 'agents', party, 'bus') : folderOf(party)
    cpSync(folder, join(saved, kind, party), { recursive: true })
  }
}

const isReplica = (name: string) => /\.\d+$/.test(name)

/** With the authority of today, so that it is the server that decides. */
async function enterAs(kind: string, party: string): Promise<string> {
  const credentials = join(saved, kind, party)
  cpSync(join(folderOf('supervisor'), 'ca.pem'), join(credentials, 'ca.pem'))
  try {
    const bus = await connectBus({ credentials, reconnect: false })
    await bus.close()
    return 'let in'
  } catch {
    return 'refused'
  }
}

describe.each(['certificates', 'nkeys'])('rotating %s during briefings', (kind) => {
  it('fails no step, and leaves the old ones good for nothing', async () => {
    save(kind)
    expect(await enterAs(kind, 'worker')).toBe('let in')
    const rotation = rotate(kind)
    const runs = await briefWhile(rotation)
    const view = await rotation
    expect(view.failure).toBeUndefined()
    expect(view.done.map((one) => one.kind)).toEqual([kind])
    expect(runs).toBeGreaterThan(1)
    for (const party of readdirSync(join(saved, kind))) {
      expect([party, await enterAs(kind, party)]).toEqual([party, 'refused'])
    }
    expect(phases(`keys:${kind}`)).toEqual(['drawn', 'in-use', 'retired'])
  }, 240_000)

  it('is refused while another one runs', async () => {
    const rotation = rotate(kind)
    const second = await deployment.control('POST', '/keys/rotate?kind=payload')
    expect(second).toMatchObject({ status: 409, body: { code: 'ROTATION_RUNNING' } })
    expect((await rotation).failure).toBeUndefined()
  }, 120_000)
})

describe('rotating what encrypts, during briefings', () => {
  it('fails no step, encrypts with the new keys alone, and still opens what is there', async () => {
    const before = await brief(state)
    const ring = (file: string) => parseKeyRing(readFileSync(join(state, file), 'utf8'))
    const former = currentOf(ring('worker/payload.key'))
    const rotation = rotate('payload')
    await briefWhile(rotation)
    expect((await rotation).failure).toBeUndefined()
    expect(currentOf(ring('worker/payload.key')).id).not.toBe(former.id)
    expect(ring('cli/payload.key')).toEqual(ring('worker/payload.key'))
    // Temporal holds runs of before, so their key is kept, and they can be shown.
    expect(ring('worker/payload.key')).toContainEqual(
      expect.objectContaining({ id: former.id, state: 'retiring' }),
    )
    const shown = await runCli(['runs', 'show', before.requestId, '--state', state, '--json'])
    expect(shown.code, shown.stderr).toBe(0)
    expect(shown.stdout).toContain('completed')
  }, 240_000)

  it('refuses what no kind of key is called, and an overlap that is none', async () => {
    const ask = (query: string) => deployment.control('POST', `/keys/rotate?${query}`)
    expect(await ask('kind=everything')).toMatchObject({ status: 400 })
    expect(await ask('kind=nkeys&overlapMs=-1')).toMatchObject({ status: 400 })
    expect(await ask('kind=nkeys&overlapMs=soon')).toMatchObject({ status: 400 })
  })
})

describe('the command', () => {
  const keys = (...args: readonly string[]) => runCli(['keys', ...args, '--state', state])

  it('lists every kind, with what is used and what is retiring', async () => {
    const { code, stdout, stderr } = await keys('list', '--json')
    expect(code, stderr).toBe(0)
    const listed = z
      .array(z.object({ kind: z.string(), id: z.string(), state: z.string(), since: z.number() }))
      .parse(JSON.parse(stdout))
    const used = listed.filter(({ state: held }) => held === 'current').map(({ kind }) => kind)
    expect(new Set(used)).toEqual(new Set(['token', 'audit', 'certificates', 'nkeys', 'payload']))
    expect(listed.some(({ kind, state: held }) => kind === 'payload' && held === 'retiring')).toBe(
      true,
    )
    expect((await keys('list')).stdout).toMatch(/certificates +current +since \d{4}-/)
  })

  it('rotates, says how far it is, and gives the new name', async () => {
    const { code, stdout, stderr } = await keys('rotate', 'payload', '--overlap', '3s', '--json')
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('payload: worker and command can open')
    expect(JSON.parse(stdout)).toMatchObject({ rotated: [{ kind: 'payload' }] })
  })

  it.each([
    [2, /no kind of key called paylod \(did you mean payload\?\)/, ['paylod']],
    [2, /the shortest overlap is 3 s/, ['nkeys', '--overlap', '2s']],
  ])('exits with %i and says %s', async (exitCode, pattern, args) => {
    const { code, stdout, stderr } = await keys('rotate', ...args)
    expect(stderr).toMatch(pattern)
    expect(code).toBe(exitCode)
    expect(stdout).toBe('')
  })

  it('says so when another one is not finished', async () => {
    const rotation = rotate('nkeys')
    const { code, stderr } = await keys('rotate', 'payload', '--overlap', '3s')
    expect(stderr).toMatch(/the rotation of nkeys is not finished/)
    expect(code).toBe(1)
    expect((await rotation).failure).toBeUndefined()
  })
})

describe('a supervisor that is killed in the middle of a rotation', () => {
  it.each(['certificates', 'nkeys'])(
    'finishes that of %s at the next start',
    async (kind) => {
      rmSync(saved, { recursive: true, force: true })
      save(kind)
      const seen = phases(`keys:${kind}`).length
      await deployment.control('POST', `/keys/rotate?kind=${kind}&overlapMs=60000`)
      await expect
        .poll(() => phases(`keys:${kind}`).slice(seen), { timeout: 30_000 })
        .toEqual(['drawn', 'in-use'])
      await deployment.kill()
      deployment = await startDeployment({ state, leastOverlapMs: overlapMs })
      // It is told beside everything else, once the platform is ready.
      const told = `the rotation of ${kind} that was interrupted is finished`
      await expect.poll(() => deployment.said(), { timeout: 30_000 }).toContain(told)
      for (const party of readdirSync(join(saved, kind))) {
        expect([party, await enterAs(kind, party)]).toEqual([party, 'refused'])
      }
      await expect
        .poll(() => phases(`keys:${kind}`).slice(seen), { timeout: 30_000 })
        .toEqual(['drawn', 'in-use', 'finished-at-start'])
      expect((await brief(state)).status).toBe('completed')
    },
    240_000,
  )
})

describe('after all of it', () => {
  it('leaves an audit that verifies', async () => {
    const { code, stdout, stderr } = await runCli(['audit', 'verify', '--state', state, '--json'])
    expect(code, `${stdout}${stderr}`).toBe(0)
  })
})
