// A running deployment whose token key and audit key are replaced in the middle of a briefing: no step
// fails, the old keys are dead afterwards for somebody who kept copies, and the audit verifies across
// the change, here and elsewhere.

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { catalogue } from '../../agents/catalogue.ts'
import { fetchReplySchema } from '../../egress/contract.ts'
import { type HomeServer, startHomeServer } from '../../examples/home/server.ts'
import { checkpointSchema } from '../../notary/contract.ts'
import { signCheckpoint } from '../../security/audit/checkpoint.ts'
import { parseTrustedKeys } from '../../security/audit/key-chain.ts'
import { createDocumentSigner } from '../../security/verify/document.ts'
import { signJws } from '../../security/verify/jws.ts'
import { importPrivateJwk, type PrivateJwk, privateJwkSchema } from '../../security/verify/keys.ts'
import { listReplicas } from '../../supervisor/pool.ts'
import { createAuditRotation } from '../../supervisor/rotation/audit.ts'
import { stateLayout } from '../../supervisor/state.ts'
import { brief } from '../support/briefing.ts'
import { runCli } from '../support/cli.ts'
import type { runSchema } from '../support/cli-shapes.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { rotateIntoOverlap, rotationsOf } from '../support/key-rotations.ts'

const base = mkdtempSync(join(tmpdir(), 'bulkhead-rotate-'))
const state = join(base, 'state')
const replicas = listReplicas(catalogue)
const never = new AbortController().signal
const overlapMs = 500
let deployment: TestDeployment
let web: HomeServer
let saved: { readonly signing: PrivateJwk; readonly audit: PrivateJwk }

const keyOf = (name: string): PrivateJwk =>
  privateJwkSchema.parse(
    JSON.parse(readFileSync(join(state, 'notary', `${name}.jwk.json`), 'utf8')),
  )

beforeAll(async () => {
  mkdirSync(state, { mode: 0o700 })
  web = await startHomeServer()
  const home = { web: web.origin }
  deployment = await startDeployment({ state, home, leastOverlapMs: overlapMs })
  saved = { signing: keyOf('signing'), audit: keyOf('audit') }
  copyFileSync(join(state, 'public', 'audit-key.json'), join(base, 'first-key.json'))
}, 240_000)

afterAll(async () => {
  await deployment.stop()
  await web.close()
  rmSync(base, { recursive: true })
})

function expectWhole({ status, steps, audit }: z.infer<typeof runSchema>): void {
  expect(status).toBe('completed')
  expect(new Set(steps.map(({ outcome }) => outcome))).toEqual(new Set(['settled']))
  expect(audit.verified).toBe(true)
}

const viewSchema = z.object({
  running: z.boolean(),
  done: z.array(z.object({ kind: z.string(), retired: z.array(z.string()) })),
})

/** Kinds and subjects of the rows, in order. */
function rows(): readonly { readonly kind: string; readonly subject: string }[] {
  const db = new Database(join(state, 'notary', 'audit.db'), { readonly: true })
  try {
    const all = db.prepare('SELECT kind, subject FROM audit ORDER BY seq').all()
    return z.array(z.object({ kind: z.string(), subject: z.string() })).parse(all)
  } finally {
    db.close()
  }
}

const count = (kind: string) => rows().filter((row) => row.kind === kind).length

/** What the gateway says to a token that is nothing but a signature by this key. */
async function askGateway(key: PrivateJwk): Promise<string> {
  const token = await signJws('cap+jwt', '{}', await importPrivateJwk(key))
  const asked = { egress: 'forecast', method: 'GET', path: '/', maxBytes: 1_000 }
  const body = JSON.stringify({ token, args: {}, salt: 'x', request: asked })
  const text = await new Promise<string>((resolve, reject) => {
    const socketPath = join(state, 'run', 'egress', 'weather.0.sock')
    const call = request({ socketPath, method: 'POST', path: '/fetch' }, (response) => {
      let said = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk
      })
      response.on('end', () => resolve(said))
    })
    call.on('error', reject).end(body)
  })
  const reply = fetchReplySchema.parse(JSON.parse(text))
  return reply.ok ? 'OK' : reply.code
}

async function verify(...more: readonly string[]) {
  const { stdout, stderr } = await runCli(['audit', 'verify', '--json', ...more])
  expect(stdout, stderr).not.toBe('')
  return z
    .object({
      ok: z.boolean(),
      mismatches: z.array(z.object({ seq: z.number(), what: z.string() })),
      gaps: z.array(z.unknown()),
    })
    .parse(JSON.parse(stdout))
}

describe('a rotation during a briefing', () => {
  it('fails no step, and kills the old token key at the gateway when it ends', async () => {
    const begun = count('intent')
    const running = brief(state)
    await expect.poll(() => count('intent'), { timeout: 60_000 }).toBeGreaterThan(begun)
    const overlap = await rotateIntoOverlap(deployment, replicas)
    const { audit } = await rotationsOf(deployment, { replicas, overlapMs: 0 })
    await audit.rotate(() => undefined, never)
    expectWhole(await running)
    const seen = rows()
    const at = (name: string) => seen.findIndex(({ subject }) => subject === name)
    for (const name of ['token-key', 'audit-key']) {
      // Between the first step of that run and its last outcome.
      expect(seen.slice(0, at(name)).some(({ kind }) => kind === 'mint')).toBe(true)
      expect(seen.slice(at(name)).some(({ kind }) => kind === 'outcome')).toBe(true)
    }
    expectWhole(await brief(state))
    // The key is known still: what is refused is everything else about this token.
    expect(await askGateway(saved.signing)).toBe('TOKEN_AUDIENCE')
    await overlap.end()
    expect(await askGateway(saved.signing)).toBe('TOKEN_KEY_UNKNOWN')
    expect(await askGateway(keyOf('signing'))).toBe('TOKEN_AUDIENCE')
    expectWhole(await brief(state))
  }, 240_000)

  it('leaves an audit that verifies with every other record', async () => {
    expect(await verify('--state', state)).toMatchObject({ ok: true, mismatches: [], gaps: [] })
    expect(keyOf('audit')).not.toEqual(saved.audit)
  })
})

describe('an export from after the rotation', () => {
  const file = join(base, 'export.jsonl')
  const first = join(base, 'first-key.json')
  const list = join(state, 'public', 'audit-key.json')
  const check = (key: string, exported = file) => verify('--file', exported, '--key', key)

  it('verifies elsewhere, by the first key alone and by the published list', async () => {
    writeFileSync(file, (await runCli(['audit', 'export', '--state', state])).stdout)
    expect(JSON.parse(readFileSync(list, 'utf8'))).toHaveProperty('keys')
    for (const key of [first, list]) {
      expect(await check(key)).toMatchObject({ ok: true, mismatches: [] })
    }
  })

  it('shows a head that a saved copy of the old audit key signs for later rows', async () => {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    const heads = lines.flatMap((line) => {
      const found = z.strictObject({ checkpoint: checkpointSchema }).safeParse(JSON.parse(line))
      return found.success ? [found.data.checkpoint] : []
    })
    const last = heads.at(-1)
    if (last === undefined) throw new Error('no checkpoint in the export')
    const forged = await signCheckpoint(last, await createDocumentSigner(saved.audit))
    const altered = join(base, 'forged.jsonl')
    const text = lines.map((line) => line.replace(last.jws, forged.jws)).join('\n')
    writeFileSync(altered, `${text}\n`)
    for (const key of [first, list]) {
      const found = await check(key, altered)
      expect(found.ok).toBe(false)
      expect(found.mismatches).toContainEqual({ seq: last.size, what: 'CHECKPOINT' })
    }
  })
})

describe('a rotation by command', () => {
  it.each(['token', 'audit'])(
    'of the %s key records each phase, and the next run is whole',
    async (kind) => {
      const begun = await deployment.control(
        'POST',
        `/keys/rotate?kind=${kind}&overlapMs=${overlapMs}`,
      )
      expect(begun.status).toBe(202)
      const view = async () =>
        viewSchema.parse((await deployment.control('GET', '/keys/rotation')).body)
      await expect
        .poll(view, { timeout: 60_000 })
        .toMatchObject({ running: false, done: [{ kind }] })
      expect((await view()).done[0]?.retired).toHaveLength(1)
      // What the supervisor says before and after; the change itself is the notary's own row.
      expect(rows().filter(({ subject }) => subject === `keys:${kind}`)).toHaveLength(2)
      expectWhole(await brief(state))
    },
  )
})

describe('the next start', () => {
  it('finishes what a killed supervisor had only begun', async () => {
    const layout = stateLayout(state)
    const half = createAuditRotation({
      layout,
      hangUp: () => undefined,
      record: async () => undefined,
      timeoutMs: 50,
    })
    await expect(half.rotate(() => undefined, never)).rejects.toMatchObject({
      code: 'KEY_NOT_TAKEN_UP',
    })
    expect(await half.list()).toMatchObject([{ state: 'current' }, { state: 'next' }])
    await deployment.kill()
    deployment = await startDeployment({ state })
    await expect.poll(() => half.list(), { timeout: 60_000 }).toHaveLength(1)
    expectWhole(await brief(state))
    expect(await verify('--state', state)).toMatchObject({ ok: true, mismatches: [] })
    const list = JSON.parse(readFileSync(join(state, 'public', 'audit-key.json'), 'utf8'))
    expect(parseTrustedKeys(list)).toHaveLength(4)
  }, 240_000)
})
