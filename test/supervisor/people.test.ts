// Who is enrolled, as it lies on the disk and as the notary and each person get it.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { householdSchema } from '../../security/people.ts'
import { deriveAccounts } from '../../security/pki/accounts.ts'
import { prepareKeys, preparePersonKeys } from '../../security/pki/deployment-keys.ts'
import { SupervisorError } from '../../supervisor/codes.ts'
import { answerPeople } from '../../supervisor/control-people.ts'
import { checkApprover } from '../../supervisor/doctor-approver.ts'
import type { Enrolment } from '../../supervisor/enrolment.ts'
import { householdOf, writeHousehold, writePersonFolder } from '../../supervisor/household.ts'
import { openPeople } from '../../supervisor/people.ts'
import { stateLayout } from '../../supervisor/state.ts'

let state: string
const layout = () => stateLayout(state)
const coded = (code: string) => expect.objectContaining({ code })

beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-people-'))
  mkdirSync(join(state, 'supervisor'))
  await prepareKeys({ state, replicas: [], users: ['anna'] })
})
afterEach(() => rmSync(state, { recursive: true }))

describe('who is enrolled', () => {
  const file = () => layout().peopleFile

  it('is remembered over a restart, and forgotten when removed', () => {
    openPeople(file()).add({ id: 'anna', since: 5 })
    const people = openPeople(file())
    expect(people.list()).toEqual([{ id: 'anna', since: 5 }])
    people.remove('anna')
    expect(openPeople(file()).ids()).toEqual([])
    expect(statSync(file()).mode & 0o777).toBe(0o600)
  })

  it('is there once, and never the owner, who always is', () => {
    const people = openPeople(file())
    people.add({ id: 'anna', since: 5 })
    expect(() => people.add({ id: 'anna', since: 6 })).toThrow(coded('USAGE'))
    expect(() => people.add({ id: 'owner', since: 6 })).toThrow(coded('USAGE'))
    expect(() => people.remove('owner')).toThrow(coded('USAGE'))
    expect(() => people.remove('ben')).toThrow(coded('USAGE'))
    expect(people.ids()).toEqual(['anna'])
  })

  it('is not guessed from a damaged file', () => {
    for (const text of ['', '{}', '[{"id":"owner","since":1}]', '[{"id":"../x","since":1}]']) {
      writeFileSync(file(), text)
      expect(() => openPeople(file()), text).toThrow(coded('STATE_UNUSABLE'))
    }
  })

  it('is at most a household', () => {
    const people = openPeople(file())
    for (let n = 0; n < 16; n += 1) people.add({ id: `p${n}`, since: n })
    expect(() => people.add({ id: 'one-more', since: 99 })).toThrow(coded('USAGE'))
  })
})

describe('the household that the notary gets', () => {
  const rights = { anna: { approvesFor: ['owner'] }, zoe: { sees: ['owner'] } }

  it('is the owner and who is enrolled, each with a key, and nobody else', () => {
    const users = householdOf(layout(), { ids: ['anna'], rights })
    expect(users.map(({ id, accounts }) => [id, accounts])).toEqual([
      ['owner', ['cli', 'console']],
      ['anna', ['cli-anna']],
    ])
    expect(users[0]).toMatchObject({ approvesFor: [], sees: [] })
    expect(users[1]).toMatchObject({ approvesFor: ['owner'], sees: [] })
    expect(new Set(users.flatMap(({ approvers }) => approvers.map(({ x }) => x))).size).toBe(2)
    expect(JSON.stringify(users)).not.toContain('"d"')
    writeHousehold(layout(), users, undefined)
    const written = JSON.parse(readFileSync(join(state, 'notary', 'users.json'), 'utf8'))
    expect(householdSchema.parse(written)).toEqual(users)
  })

  it('gives no right by a name that every object has', () => {
    const users = householdOf(layout(), { ids: [], rights: {} })
    expect(users).toHaveLength(1)
    const [owner] = users
    for (const bad of [
      [owner, owner],
      [owner, { ...owner, id: 'anna', accounts: ['cli-anna'] }],
      [owner, { ...owner, id: 'anna', approvers: [] }],
      [{ ...owner, accounts: ['worker'] }],
    ]) {
      expect(householdSchema.safeParse(bad).success).toBe(false)
    }
  })

  it('needs the owner’s key, and doctor says when it is gone', () => {
    expect(checkApprover(state)).toBe('there')
    rmSync(join(state, 'cli', 'approver.jwk.json'))
    expect(() => householdOf(layout(), { ids: [], rights })).toThrow(coded('STATE_UNUSABLE'))
    expect(() => checkApprover(state)).toThrow(coded('STATE_UNUSABLE'))
  })
})

describe('the folder of a person', () => {
  it('keeps its approver key, follows the payload key, and is nobody else’s to open', async () => {
    const file = (name: string) => readFileSync(join(state, 'users', 'anna', 'cli', name), 'utf8')
    const key = file('approver.jwk.json')
    writeFileSync(join(state, 'worker', 'payload.key'), 'B'.repeat(43))
    await preparePersonKeys(state, 'anna')
    expect(file('approver.jwk.json')).toBe(key)
    expect(file('payload.key')).toBe('B'.repeat(43))
    for (const name of ['users', 'users/anna', 'users/anna/cli']) {
      expect(statSync(join(state, name)).mode & 0o077, name).toBe(0)
    }
  })

  it.each(['../worker', 'a/b', '.', '', 'owner', 'Anna'])('is not made for %j', async (id) => {
    await expect(preparePersonKeys(state, id)).rejects.toMatchObject({ code: 'INVALID' })
  })

  it.each([['owner'], ['Anna'], ['a.b'], ['a_b'], ['>'], [''], ['anna', 'anna']])(
    'has no account where it would reach other subjects: %j',
    (...users) => {
      expect(() => deriveAccounts([], { gateway: false, users })).toThrow(coded('INVALID'))
    },
  )

  it('names no control socket, and calls the person what the owner is called at home', () => {
    const deployment = {
      ...({
        version: 1,
        deployment: 'abcd1234',
        pid: 1,
        startedAt: 1,
        controlSocket: '/s',
      } as const),
      temporal: { address: 'a:1', namespace: 'n', taskQueue: 't', ui: 'http://a/' },
      bus: { host: '127.0.0.1', port: 1, caFile: '/ca' },
    }
    const people = { owner: ['me@home.example'], anna: ['anna@home.example'], bob: ['b@x.example'] }
    writeFileSync(join(state, 'cli', 'policy.json'), '{}')
    writePersonFolder(layout(), 'anna', { deployment, names: { people, places: {} } })
    const read = (name: string): unknown =>
      JSON.parse(readFileSync(join(state, 'users', 'anna', name), 'utf8'))
    expect(read('run/deployment.json')).toEqual({ ...deployment, controlSocket: '' })
    expect(read('cli/names.json')).toEqual({
      people: {
        owner: ['anna@home.example'],
        anna: ['anna@home.example'],
        bob: ['b@x.example'],
        'the owner': ['me@home.example'],
      },
      places: {},
    })
    expect(read('cli/policy.json')).toEqual({})
    expect(read('public/audit-key.json')).toEqual(
      JSON.parse(readFileSync(join(state, 'public', 'audit-key.json'), 'utf8')),
    )
  })
})

describe('the control socket', () => {
  const asked: string[] = []
  const person = { id: 'anna', since: 1, approvesFor: [], sees: [], folder: '/f' }
  const enrolment: Enrolment = {
    list: () => [person],
    add: async (id) => {
      asked.push(`add ${id}`)
      return person
    },
    remove: async (id) => {
      asked.push(`remove ${id}`)
      throw new SupervisorError('ROTATION_RUNNING', 'keys are being replaced')
    },
  }
  const call = (line: string, id?: string, known: Enrolment | undefined = enrolment) =>
    answerPeople(line, new URLSearchParams(id === undefined ? {} : { id }), known)

  it('passes on what fits, and says what is wrong with the rest', async () => {
    expect(await call('GET /users')).toEqual({ status: 200, body: [person] })
    expect(await call('POST /users/add', 'anna')).toEqual({ status: 200, body: person })
    expect(await call('POST /users/remove', 'anna')).toMatchObject({
      status: 409,
      body: { code: 'ROTATION_RUNNING' },
    })
    for (const id of [undefined, '', 'owner', 'Anna', '../anna', 'a'.repeat(25)]) {
      expect(await call('POST /users/add', id), id).toMatchObject({ status: 400 })
    }
    expect(await call('POST /users/rename', 'anna')).toMatchObject({ status: 404 })
    expect(asked).toEqual(['add anna', 'remove anna'])
  })

  it('has nothing to say while it starts, or of anything else', async () => {
    const starting = await answerPeople('GET /users', new URLSearchParams(), undefined)
    expect(starting).toMatchObject({ status: 503 })
    expect(await call('GET /keys')).toBeUndefined()
  })
})
