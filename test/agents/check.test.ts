// The contract tests of agents: what is as it should be passes, and each broken agent is found, for its own
// reason and no other.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkAgent } from '../../agents/check/check-agent.ts'
import { findingCodes, Tally } from '../../agents/check/contract.ts'
import type { ExampleWorld } from '../../agents/check/examples-contract.ts'
import { loadSubject } from '../../agents/check/subject.ts'
import { defineAgent } from '../../agents/define-agent.ts'
import { boxAt, boxHandlers, boxManifest, boxWorld } from '../support/broken-agents/box.ts'
import { brokenAgents, brokenProcesses } from '../support/broken-agents/table.ts'

const agents = join(import.meta.dirname, '..', 'support', 'broken-agents')
let scratch: string
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'bulkhead-check-'))
})
afterEach(() => rmSync(scratch, { recursive: true, force: true }))

async function check(folder: string, seed = 1): Promise<Tally> {
  const tally = new Tally()
  const subject = await loadSubject(join(agents, folder), tally)
  const options = { scratch, seed, draws: 60 }
  if (subject !== undefined) await checkAgent({ ...subject, folder }, tally, options)
  return tally
}

describe('an agent that is as it should be', () => {
  test.each([1, 2, 3])('has no findings, whatever is drawn (seed %i)', async (seed) => {
    const tally = await check('as-it-should-be', seed)
    expect(tally.found).toEqual([])
    // What the box has, every check that needs no process has tried.
    const processes = ['bundle', 'sandbox']
    const idle = tally.checks.filter(({ name, tried }) => tried === 0 && !processes.includes(name))
    expect(idle).toEqual([])
  })

  test('leaves nothing of its trials behind', async () => {
    await check('as-it-should-be')
    expect(readdirSync(scratch)).toEqual([])
  })
})

describe('a broken agent is found for its own reason', () => {
  test.each(brokenAgents)('%s: %s', async (folder, code) => {
    const { found } = await check(folder)
    expect([...new Set(found.map((finding) => finding.code))]).toEqual([code])
    for (const { message } of found) expect(message).not.toContain('there before')
  })

  test('there is one for every code, and every folder is in the table', () => {
    const table = [...brokenAgents, ...brokenProcesses]
    expect(new Set(table.map(([, code]) => code))).toEqual(new Set(findingCodes))
    const folders = readdirSync(agents, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'as-it-should-be')
      .map((entry) => entry.name)
    expect(new Set(folders)).toEqual(new Set(table.map(([folder]) => folder)))
  })
})

describe('examples that are wrong themselves', () => {
  const tried = async (folders: ExampleWorld['folders'], calls: ExampleWorld['calls']) => {
    const tally = new Tally()
    const agent = defineAgent(boxManifest('box'), boxHandlers)
    const world = { ...boxWorld, calls, ...(folders === undefined ? {} : { folders }) }
    const examples = { worlds: [world] }
    const options = { scratch: join(scratch, 'inner'), seed: 1, draws: 1 }
    await checkAgent({ agent, examples, folder: 'box' }, tally, options)
    return tally.found.find(({ action }) => action === 'show')
  }
  const show = { show: [{ args: { name: 'old' } }] }

  test.each([
    ['a mount that is not declared', { '/data/other': { old: '' } }],
    ['a mount that leads away', { '/../../outside': { old: '' } }],
    ['a file that leads away', { [boxAt]: { '../../../../outside': '' } }],
  ])('%s: nothing is written there', async (_what, folders) => {
    expect(await tried(folders, show)).toMatchObject({ code: 'EXAMPLE_REFUSED' })
    expect(readdirSync(scratch).filter((name) => name !== 'inner')).toEqual([])
  })

  test('arguments that cannot be made', async () => {
    const broken = () => {
      throw new TypeError('of the example')
    }
    expect(await tried(undefined, { show: [{ args: broken }] })).toEqual({
      code: 'EXAMPLE_REFUSED',
      action: 'show',
      message: 'example 1 of box itself throws TypeError',
    })
  })
})
