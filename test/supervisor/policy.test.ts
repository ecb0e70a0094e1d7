// The policy as the supervisor hands it out, and what it says of the one in force.

import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultSettings } from '../../plan/policy-settings.ts'
import { SupervisorError } from '../../supervisor/codes.ts'
import { answerPolicy } from '../../supervisor/control-policy.ts'
import {
  checkPolicy,
  composePolicy,
  readPolicyInUse,
  writePolicy,
} from '../../supervisor/policy.ts'
import { type StateLayout, stateLayout } from '../../supervisor/state.ts'

let state: string
let layout: StateLayout
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-policy-state-'))
  layout = stateLayout(state)
  const folders = [layout.notary, layout.worker, layout.cli]
  for (const folder of folders) mkdirSync(folder, { recursive: true })
})
afterEach(() => rmSync(state, { recursive: true, force: true }))

const say = (inUse: object) =>
  writeFileSync(join(layout.notary, 'policy-in-use.json'), JSON.stringify(inUse))

describe('the policy of a deployment', () => {
  it('is the settings alone where a household has no rules, and asks for no OPA', async () => {
    const parts = { settings: defaultSettings, bundle: undefined }
    const given = { cacheFolder: join(state, 'cache'), environment: {}, say: () => undefined }
    expect(await composePolicy(parts, given)).toEqual({ settings: defaultSettings })
    expect(existsSync(given.cacheFolder)).toBe(false)
  })

  it('is the same for notary, worker and the owner’s commands', () => {
    const readers = { notary: undefined, worker: undefined }
    writePolicy(layout, { settings: { ...defaultSettings } }, readers)
    const [one, second, third] = [layout.notary, layout.worker, layout.cli].map((folder) =>
      readFileSync(join(folder, 'policy.json'), 'utf8'),
    )
    expect([second, third]).toEqual([one, one])
    expect(JSON.parse(one ?? '')).toEqual({ settings: defaultSettings })
  })

  it('is said by doctor, which complains of one that was refused', () => {
    expect(checkPolicy(layout)).toContain('the notary has not run')
    say({ digest: 'abc', seen: null, refused: null })
    expect(checkPolicy(layout)).toBe('abc')
    say({ digest: 'abc', seen: 'def', refused: 'it breaks down' })
    expect(() => checkPolicy(layout)).toThrow(/abc is in force.*it breaks down/)
    say({ digest: 'abc' })
    expect(readPolicyInUse(layout)).toBeUndefined()
  })
})

describe('what a process says of its policy', () => {
  it('is nothing where it laid a pipe, a link or a flood', () => {
    const word = join(layout.notary, 'policy-in-use.json')
    execFileSync('mkfifo', [word])
    expect(readPolicyInUse(layout)).toBeUndefined()
    rmSync(word)
    const inUse = JSON.stringify({ digest: 'abc', seen: null, refused: null })
    writeFileSync(join(state, 'elsewhere'), inUse)
    symlinkSync(join(state, 'elsewhere'), word)
    expect(readPolicyInUse(layout)).toBeUndefined()
    rmSync(word)
    writeFileSync(word, inUse + ' '.repeat(64 * 1024))
    expect(readPolicyInUse(layout)).toBeUndefined()
    writeFileSync(word, inUse)
    expect(readPolicyInUse(layout)).toMatchObject({ digest: 'abc' })
  })
})

describe('the control socket', () => {
  const inUse = { digest: 'abc', seen: null, refused: null }

  it('tells of it, takes up a new one, and says why it cannot', async () => {
    const reload = async () => ({ ...inUse, previous: 'before', worker: 'taken' as const })
    const actions = { view: () => inUse, reload }
    expect(await answerPolicy('GET /policy', actions)).toEqual({ status: 200, body: inUse })
    expect(await answerPolicy('POST /policy/reload', actions)).toMatchObject({
      status: 200,
      body: { previous: 'before' },
    })
    expect(await answerPolicy('GET /status', actions)).toBeUndefined()
    expect(await answerPolicy('GET /policy', { view: () => undefined, reload })).toMatchObject({
      status: 503,
    })
    const refused = new SupervisorError('CONFIG_INVALID', 'line 3', { next: 'edit it' })
    const failing = { view: () => inUse, reload: () => Promise.reject(refused) }
    expect(await answerPolicy('POST /policy/reload', failing)).toEqual({
      status: 409,
      body: { code: 'CONFIG_INVALID', message: 'line 3', next: 'edit it' },
    })
  })
})
