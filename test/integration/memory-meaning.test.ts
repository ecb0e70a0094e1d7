// Memory by meaning on a running platform: the agent `model` asks the house's server what a text means, the
// agent `memory` keeps and compares it, each in its sandbox, joined by a plan alone. Without the server,
// words find on, and that is said.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { memoryResults } from '../../cli/memory-results.ts'
import { runCli } from '../support/cli.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { type HouseModel, startHouseModel } from '../support/house-model.ts'
import { until } from '../support/observer.ts'

let state: string
let platform: TestDeployment
let house: HouseModel

/** What some words are about: drinks, keys, anything else. */
const embed = (text: string) => {
  if (/tea|coffee|drink/i.test(text)) return [1, 0.1, 0]
  return /key|door/i.test(text) ? [0.1, 1, 0] : [0, 0, 1]
}

beforeAll(async () => {
  house = await startHouseModel(embed)
  state = mkdtempSync(join(tmpdir(), 'bulkhead-meaning-'))
  mkdirSync(join(state, 'memory'))
  const settings = [
    ...['timezone: UTC', 'embeddings: nomic-embed-text', 'agents:'],
    ...['  memory: { folder: memory }', `  model: { local: "${house.origin}" }`],
  ]
  writeFileSync(join(state, 'bulkhead.yaml'), `${settings.join('\n')}\n`)
  platform = await startDeployment({ state })
  // A busy machine may start the sandboxes more slowly than a person would wait.
  const isThere = async () => (await told('recall', 'search', 'anything')).meaning !== null
  await until('the model answers', isThere)
}, 400_000)
afterAll(async () => {
  try {
    await platform?.stop()
  } finally {
    rmSync(state, { recursive: true, force: true })
    await house.close()
  }
})

async function told<Name extends keyof typeof memoryResults>(
  name: Name,
  ...words: readonly string[]
): Promise<z.output<(typeof memoryResults)[Name]>> {
  const { code, stdout, stderr } = await runCli(['memory', ...words, '--state', state, '--json'])
  expect(code, stderr + stdout).toBe(0)
  const { result } = z.object({ result: z.unknown() }).parse(JSON.parse(stdout))
  return memoryResults[name].parse(result) as z.output<(typeof memoryResults)[Name]>
}
const remember = async (text: string) => (await told('remember', 'remember', text)).after.entry.id

describe('memory by meaning', () => {
  it('finds what has no word in common, asking the house and nobody else', async () => {
    const tea = await remember('Anna takes her tea without milk.')
    await remember('The spare key is under the stone.')
    const found = await told('recall', 'search', 'what to drink')
    expect(found).toMatchObject({ count: 0, meaning: { count: 1, without: 0 } })
    expect(found.matches).toMatchObject([{ id: tea, by: 'meaning', similarity: 1 }])
    expect(new Set(house.asked.map(({ path }) => path))).toEqual(new Set(['/v1/embeddings']))
    expect(house.asked.at(-1)?.body).toContain('what to drink')
  })

  it('is what `find` finds with, too, and what is found stays untrusted', async () => {
    const shape = z.looseObject({ findings: z.array(z.unknown()) })
    const found = async () => {
      const words = ['find', 'how to open the door', '--in', 'memory', '--state', state, '--json']
      const { stdout, stderr } = await runCli(words)
      return shape.parse(JSON.parse(stdout), { error: () => stderr }).findings
    }
    await expect
      .poll(found, { timeout: 100_000, interval: 250 })
      .toMatchObject([
        { text: 'The spare key is under the stone.', label: { integrity: 'UNTRUSTED' } },
      ])
  })

  it('is done without where the model is not there: words find on, and keeping keeps', async () => {
    await house.close()
    const id = await remember('Coffee at noon.')
    const found = await told('recall', 'search', 'coffee')
    expect(found).toMatchObject({ count: 1, meaning: null, matches: [{ id, by: 'words' }] })
    const { stdout } = await runCli(['memory', 'search', 'coffee', '--state', state])
    expect(stdout).toContain('by words alone: nomic-embed-text did not answer')
  })
})
