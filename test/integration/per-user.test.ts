// An agent of one's own on a running platform: the owner's notes and Anna's are two folders behind two
// sandboxes. Neither sees the other's, and a worker that is wholly compromised cannot lead one's run to
// the other's agent.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { compileSource } from '../../plan/compile.ts'
import { limits } from '../../plan/limits.ts'
import { runCli } from '../support/cli.ts'
import { runSchema } from '../support/cli-shapes.ts'
import type { TestDeployment } from '../support/deployment.ts'
import { startWithAnnas } from '../support/enrolment.ts'
import { perUserCatalogue } from '../support/per-user-catalogue.ts'
import { decide } from '../support/policy.ts'
import { createWorkerDouble } from '../support/worker-double.ts'

const support = join(import.meta.dirname, '..', 'support')
const base = mkdtempSync(join(tmpdir(), 'bulkhead-per-user-'))
const state = join(base, 'state')
const options = {
  state,
  home: 'sample',
  overrides: { notes: { perUser: true } },
  notaryEntry: join(support, 'per-user-notary-main.ts'),
  workerEntry: join(support, 'per-user-worker-main.ts'),
} as const
const annasNotes = join(state, 'annas-notes')
const anna = join(base, 'anna')
/** Her replicas begin where the owner's eight end. */
const annas = `agent.notes.${limits.replicas}.exec`
const planOf = (text: string) => `version: 1
goal: Keep a line, and look at what was kept
steps:
  - { id: keep, agent: notes, action: append, args: { note: mine, text: ${text} } }
  - { id: look, agent: notes, action: list, needs: [keep], args: { recentDays: 30, limit: 20 } }
answer: { from: [look] }
`
const agentSchema = z.object({
  replicas: z.array(
    z.object({ n: z.number(), user: z.string().nullable(), uid: z.number().nullable() }),
  ),
})
let platform: TestDeployment

const run = async (folder: string, text: string) => {
  const file = join(base, `${text}.yaml`)
  writeFileSync(file, planOf(text))
  const { code, stdout, stderr } = await runCli(['run', file, '--state', folder, '--json'])
  expect(stdout, stderr).not.toBe('')
  return { code, ...runSchema.parse(JSON.parse(stdout)) }
}
const notesIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')

beforeAll(async () => {
  mkdirSync(state, { mode: 0o700 })
  platform = await startWithAnnas(options, {
    ...{ agent: 'notes', folder: annasNotes, keys: anna },
    tooEarly: async (keys) => {
      const early = await run(keys, 'too-early')
      // Who was enrolled while the platform runs has no replica yet, and is given nobody else's.
      expect(early.steps.find(({ id }) => id === 'keep')).toMatchObject({
        outcome: 'denied',
        code: 'NOT_PERMITTED',
      })
    },
  })
}, 240_000)
afterAll(async () => {
  await platform?.stop()
  rmSync(base, { recursive: true, force: true })
})

describe('an agent of one’s own', () => {
  it('keeps what each person asked in their own folder, and shows it to nobody else', async () => {
    const owners = await run(state, 'said-by-the-owner')
    const hers = await run(anna, 'said-by-anna')
    expect([owners.status, hers.status]).toEqual(['completed', 'completed'])
    const house = join(state, 'agents', 'notes', 'data')
    expect([notesIn(house).includes('said-by-the-owner'), notesIn(house).includes('anna')]).toEqual(
      [true, false],
    )
    expect(notesIn(annasNotes)).toContain('said-by-anna')
    expect(notesIn(annasNotes)).not.toContain('owner')
    expect(owners.answer).not.toContain('said-by-anna')
    expect(hers.answer).not.toContain('said-by-the-owner')
    expect(existsSync(join(state, 'agents', `notes.${limits.replicas}`, 'ledger'))).toBe(true)
  })

  it('is told whose it is, and runs as another user for each', async () => {
    const { stdout } = await runCli(['agents', 'show', 'notes', '--state', state, '--json'])
    const { replicas } = agentSchema.parse(JSON.parse(stdout))
    expect(replicas.map(({ n, user }) => [n, user])).toEqual([
      [0, 'owner'],
      [limits.replicas, 'anna'],
    ])
    const [owners, annas] = replicas
    if (process.getuid?.() === 0) expect(owners?.uid).not.toBe(annas?.uid)
  })

  it('is out of reach of a compromised worker in anybody else’s run', async () => {
    const double = await createWorkerDouble(state)
    try {
      const source = planOf('said-by-an-attacker')
      const names = { people: {}, places: {} }
      const compiled = compileSource({
        ...{ kind: 'plan', source, inputs: {}, names },
        ...{ catalogue: perUserCatalogue, decide },
      })
      if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
      const { requestId } = await double.register(source)
      expect(await double.admit(requestId, compiled.plan)).toMatchObject({ status: 'ADMITTED' })
      const args = { note: 'mine', text: 'said-by-an-attacker' }
      const granted = await double.authorize({
        ...{ requestId, planDigest: compiled.digest, step: 'keep', args },
      })
      if (granted.status !== 'AUTHORISED') throw new Error(JSON.stringify(granted))
      // Anna's runs as well, and is never named.
      expect(granted.agent).toBe('notes.0')
      const { token, salt } = granted
      expect(await double.exec(annas, { op: 'run', token, args, salt })).toMatchObject({
        status: 'REFUSED',
      })
    } finally {
      await double.close()
    }
    expect(notesIn(annasNotes)).not.toContain('attacker')
  })
})
