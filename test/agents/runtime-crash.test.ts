// A real process, really killed, at each point between reservation and reply: afterwards the effect
// has happened at most once, and where nobody can know, the answer says so.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Authority,
  type CommandInput,
  createAuthority,
  startRuntime,
} from '../support/agent-commands.ts'
import { createHome, type TestHome } from '../support/agent-home.ts'

const program = fileURLToPath(new URL('../support/test-agent/crash-child.ts', import.meta.url))
let authority: Authority
let home: TestHome

beforeEach(async () => {
  authority = await createAuthority()
  home = createHome()
})
afterEach(() => home.remove())

async function runAndKill(killAt: string, input: CommandInput): Promise<string> {
  const file = join(home.folder, 'child.json')
  const { jwks } = authority
  const command = await authority.command(input)
  writeFileSync(file, JSON.stringify({ folder: home.folder, killAt, jwks, command }))
  const child = spawnSync(process.execPath, [program, file], { encoding: 'utf8' })
  expect(child.signal, child.stderr).toBe('SIGKILL')
  console.info(`killed ${killAt}, ledger:`, JSON.stringify(home.rows()))
  return child.stdout
}

async function askAgain(input: CommandInput) {
  const runtime = await startRuntime(home, authority)
  try {
    return await runtime.run(input)
  } finally {
    runtime.ledgerHandle.close()
  }
}

const states = () => home.rows().map((row) => row['state'])
const count = { action: 'count', args: { text: 'a' } } satisfies CommandInput
const put = { action: 'put', args: { text: 'a' } } satisfies CommandInput
const echo = { action: 'echo', args: { text: 'a' } } satisfies CommandInput

describe('a process killed after it reserved', () => {
  it('has done nothing, and the command runs when it is asked again', async () => {
    await runAndKill('after-reserve', count)
    expect(states()).toEqual(['RESERVED'])
    expect(home.effects()).toEqual([])
    expect(await askAgain(count)).toMatchObject({ status: 'DONE', result: '{"count":1}' })
    expect(home.effects()).toHaveLength(1)
  })

  it('has used up its token all the same', async () => {
    await runAndKill('after-reserve', { ...count, claims: { jti: 'A'.repeat(22) } })
    const replay = await askAgain({ ...count, claims: { jti: 'A'.repeat(22) } })
    expect(replay).toEqual({ status: 'REFUSED', code: 'REPLAY' })
    expect(home.effects()).toEqual([])
  })
})

describe('a process killed after the effect, before it was recorded', () => {
  it('leaves an unknown outcome, and the effect is not repeated', async () => {
    await runAndKill('after-effect', count)
    expect(states()).toEqual(['EXECUTING'])
    expect(await askAgain(count)).toMatchObject({ status: 'UNKNOWN' })
    expect(states()).toEqual(['UNKNOWN'])
    expect(home.effects()).toHaveLength(1)
  })

  it('lets an idempotent effect run again, with one effect in the end', async () => {
    await runAndKill('after-effect', put)
    expect(await askAgain(put)).toMatchObject({ status: 'DONE', result: '{"count":1}' })
    expect(home.effects()).toHaveLength(1)
  })

  it('lets a read run again', async () => {
    await runAndKill('after-effect', echo)
    expect(await askAgain(echo)).toMatchObject({ status: 'DONE', result: '{"text":"a"}' })
  })
})

describe('a process killed after its reply', () => {
  it('has its outcome on disk: the same result and receipt are told again', async () => {
    const first: unknown = JSON.parse(await runAndKill('after-reply', count))
    expect(states()).toEqual(['DONE'])
    const second = await askAgain(count)
    expect(second).toMatchObject({ status: 'DONE', result: '{"count":1}' })
    expect(first).toHaveProperty('receipt', 'receipt' in second ? second.receipt : '')
    expect(home.effects()).toHaveLength(1)
  })
})
