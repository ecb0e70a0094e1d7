// Enrolling somebody and ending it, in the order in which the others are told.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { householdSchema } from '../../security/people.ts'
import { prepareKeys } from '../../security/pki/deployment-keys.ts'
import { SupervisorError } from '../../supervisor/codes.ts'
import { createEnrolment, type EnrolmentDeps } from '../../supervisor/enrolment.ts'
import { openPeople } from '../../supervisor/people.ts'
import { stateLayout } from '../../supervisor/state.ts'

let state: string
let told: string[]
let isRotating: boolean
let refuses: boolean
const unused = () => Promise.reject(new Error('not part of this'))

beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-enrol-'))
  mkdirSync(join(state, 'supervisor'))
  await prepareKeys({ state, replicas: [] })
  writeFileSync(join(state, 'cli', 'policy.json'), '{}')
  told = []
  isRotating = false
  refuses = false
})
afterEach(() => rmSync(state, { recursive: true }))

/** Whom the notary knows, as it would read it now. */
const known = () =>
  householdSchema
    .parse(JSON.parse(readFileSync(join(state, 'notary', 'users.json'), 'utf8')))
    .map(({ id }) => id)
    .join(' ')

function enrolment() {
  const layout = stateLayout(state)
  const people = openPeople(layout.peopleFile)
  const deps: EnrolmentDeps = {
    ...{ layout, people, rights: {}, names: { people: {}, places: {} } },
    deployment: {
      ...{ version: 1, deployment: 'abcd1234', pid: 1, startedAt: 1, controlSocket: '/s' },
      temporal: { address: 'a:1', namespace: 'n', taskQueue: 't', ui: 'http://a/' },
      bus: { host: '127.0.0.1', port: 1, caFile: '/ca' },
    },
    bus: {
      refresh: unused,
      reload: async () => {
        if (refuses) throw new SupervisorError('BUS_NOT_RELOADED', 'no')
        told.push(`bus: ${people.ids().join(' ')}`)
      },
    },
    notary: {
      ...{ boot: unused, quarantine: unused },
      event: async ({ subject, summary }) => {
        told.push(`${subject} ${summary['event']}`)
      },
    },
    hangUpNotary: () => told.push(`notary: ${known()}`),
    notaryUser: undefined,
    replicas: () => [],
    isRotating: () => isRotating,
    now: () => 7,
  }
  return createEnrolment(deps)
}

it('tells the notary, the bus twice because an account that is new has no imports at first, and the audit', async () => {
  const added = await enrolment().add('anna')
  expect(added).toMatchObject({ id: 'anna', since: 7, folder: join(state, 'users', 'anna') })
  expect(told).toEqual(['notary: owner anna', 'bus: anna', 'bus: anna', 'user:anna enrolled'])
})

it('tells the notary first that somebody is removed, and takes the keys away', async () => {
  const enrolled = enrolment()
  await enrolled.add('anna')
  told.length = 0
  await enrolled.remove('anna')
  expect(told).toEqual(['notary: owner', 'bus: ', 'user:anna removed'])
  expect(existsSync(join(state, 'users', 'anna'))).toBe(false)
  expect(enrolled.list().map(({ id }) => id)).toEqual(['owner'])
})

it('has removed somebody for the notary and for every later start when the bus cannot be told', async () => {
  const enrolled = enrolment()
  await enrolled.add('anna')
  refuses = true
  await expect(enrolled.remove('anna')).rejects.toMatchObject({ code: 'BUS_NOT_RELOADED' })
  expect(known()).toBe('owner')
  expect(openPeople(stateLayout(state).peopleFile).ids()).toEqual([])
})

it('draws new keys for who is enrolled again', async () => {
  const enrolled = enrolment()
  const key = () => readFileSync(join(state, 'users', 'anna', 'cli', 'approver.jwk.json'), 'utf8')
  const keys: string[] = []
  for (const isRefused of [false, true, false]) {
    refuses = false
    await enrolled.add('anna')
    keys.push(key())
    refuses = isRefused
    await enrolled.remove('anna').catch(() => undefined)
  }
  expect(new Set(keys).size).toBe(3)
})

it('waits until keys are not being replaced, and does one after the other', async () => {
  const enrolled = enrolment()
  isRotating = true
  await expect(enrolled.add('anna')).rejects.toMatchObject({ code: 'ROTATION_RUNNING' })
  expect(told).toEqual([])
  isRotating = false
  await Promise.all([enrolled.add('anna'), enrolled.add('ben'), enrolled.remove('anna')])
  expect(known()).toBe('owner ben')
  await expect(enrolled.add('ben')).rejects.toMatchObject({ code: 'USAGE' })
})
