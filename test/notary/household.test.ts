// Who is of the household, as the notary reads it: what is missing or wrong is nobody.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ConfigError, readHousehold } from '../../notary/config.ts'
import { mayDecideFor, maySee, userOf } from '../../notary/users.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-household-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const key = (letter: string) => ({ kty: 'OKP', crv: 'Ed25519', x: letter.repeat(43) })
const person = (id: string, change: object = {}) => ({
  ...{ id, accounts: [`cli-${id}`], approvers: [], approvesFor: [], sees: [] },
  ...change,
})
const read = (users: unknown) => {
  writeFileSync(join(folder, 'users.json'), JSON.stringify(users))
  return readHousehold(folder)
}

it('is missing, or not what it must be, and then nothing starts', () => {
  expect(() => readHousehold(folder)).toThrow(ConfigError)
  const wrong: readonly unknown[] = [
    ...[{}, [], 'owner', [{}], [person('Anna')], [person('anna', { accounts: ['worker'] })]],
    [person('anna', { approvers: [{ ...key('A'), d: 'A'.repeat(43) }] })],
    [person('anna', { more: true })],
    [person('anna'), person('anna', { accounts: ['cli-ben'] })],
    [person('anna'), person('ben', { accounts: ['cli-anna'] })],
    [person('anna', { approvers: [key('A')] }), person('ben', { approvers: [key('A')] })],
  ]
  for (const users of wrong) expect(() => read(users), JSON.stringify(users)).toThrow(ConfigError)
})

it('says who calls, and lets nobody see or decide for another unless it says so', () => {
  const users = read([
    person('owner', { accounts: ['cli', 'console'] }),
    person('anna', { approvesFor: ['owner'] }),
    person('ben', { sees: ['owner'] }),
  ])
  expect(
    ['cli', 'console', 'cli-anna', 'ingress', 'cli-zoe'].map((one) => userOf(one, users)),
  ).toEqual(['user:owner', 'user:owner', 'user:anna', undefined, undefined])
  const all = ['user:owner', 'user:anna', 'user:ben', 'user:zoe', undefined]
  const pairs = (may: typeof maySee) =>
    all.flatMap((caller) =>
      ['user:owner', 'user:anna', 'user:ben', 'user:zoe']
        .filter((user) => may(caller, user, users))
        .map((user) => `${caller} ${user}`),
    )
  const own = ['user:owner user:owner', 'user:anna user:anna', 'user:ben user:ben']
  expect(new Set(pairs(mayDecideFor))).toEqual(new Set([...own, 'user:anna user:owner']))
  expect(new Set(pairs(maySee))).toEqual(new Set([...own, 'user:ben user:owner']))
})
