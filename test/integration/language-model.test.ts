// A language model on a running platform: the agent in its sandbox, the providers' own libraries, the real
// gateway, and two servers that keep every byte they are told. What is private goes to the model of the
// house and to no other; the key is on the wire behind the gateway, and nowhere in the agent.

import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { noKey } from '../../agents/model/gateway-fetch.ts'
import { runCli, startCli } from '../support/cli.ts'
import { runSchema } from '../support/cli-shapes.ts'
import { Connection } from '../support/connection.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { type HouseModel, houseWords, startHouseModel } from '../support/house-model.ts'
import { processOf } from '../support/observer.ts'

const key = 'canary-of-a-provider-91c7'
const diary = 'Canary of the diary 4f1d: the doctor called.'

const budgetShape = z.object({ lines: z.array(z.looseObject({ unit: z.string() })) })

let state: string
let deployment: TestDeployment
let cloud: HouseModel
let house: HouseModel
let connection: Connection

beforeAll(async () => {
  ;[cloud, house] = [await startHouseModel(), await startHouseModel()]
  state = mkdtempSync(join(tmpdir(), 'bulkhead-language-model-'))
  mkdirSync(join(state, 'notes'))
  writeFileSync(join(state, 'notes', 'diary.md'), `${diary}\n`)
  const settings = [
    ...['timezone: UTC', 'agents:', '  notes:', '    folder: notes', '  model:'],
    ...[`    anthropic: ${cloud.origin}`, '    anthropicKey: env://BULKHEAD_TEST_MODEL_KEY'],
    `    local: ${house.origin}`,
    // Five cents a day for all that models cost.
    ...['policy:', '  budgets:', '    beyond: deny', '    amounts:'],
    '      model.micro_usd: { perDay: 50000, perMonth: 1000000 }',
  ]
  writeFileSync(join(state, 'bulkhead.yaml'), `${settings.join('\n')}\n`)
  deployment = await startDeployment({ state, env: { BULKHEAD_TEST_MODEL_KEY: key } })
  connection = new Connection(state)
})
afterAll(async () => {
  await connection?.close()
  await deployment?.stop()
  await Promise.all([cloud.close(), house.close()])
  rmSync(state, { recursive: true, force: true })
})

const claude = { provider: 'anthropic', model: 'claude-haiku-5-5', maxMicroUsd: 20_000 }
const own = { provider: 'local', model: 'qwen3:8b', maxMicroUsd: 0 }

/** What a model makes of the diary, which is the owner's alone. */
const ofTheDiary = (by: object) => [
  { id: 'diary', agent: 'notes', action: 'read', args: { note: 'diary' } },
  {
    id: 'words',
    agent: 'model',
    action: 'compose',
    args: {
      ...by,
      instruction: 'Sum it up.',
      material: [{ title: 'diary', text: { $from: 'diary#/text' } }],
    },
  },
]
const ofNothing = (by: object) => [
  {
    id: 'words',
    agent: 'model',
    action: 'compose',
    args: { ...by, instruction: 'Wish a good day.' },
  },
]

async function run(steps: readonly object[], ...options: readonly string[]) {
  const file = join(state, 'plan.json')
  writeFileSync(file, JSON.stringify({ version: 1, goal: 'g', steps, answer: { from: ['words'] } }))
  return runCli(['run', file, '--state', state, '--json', ...options])
}
/** Lines of the budget of models, the sum first. */
async function spent(): Promise<readonly unknown[]> {
  const { stdout } = await runCli(['policy', 'budget', '--state', state, '--json'])
  const { lines } = budgetShape.parse(JSON.parse(stdout))
  return lines.filter(({ unit }) => unit === 'model.micro_usd')
}
const told = (stdout: string) => runSchema.parse(JSON.parse(stdout))

describe('what is private', () => {
  test('is told to the model of the house, which answers', async () => {
    const { code, stdout, stderr } = await run(ofTheDiary(own))
    expect([code, told(stdout).answer], stderr).toEqual([0, expect.stringContaining(houseWords)])
    expect(house.asked.map(({ path }) => path)).toEqual(['/v1/chat/completions'])
    expect(house.asked[0]?.body).toContain(diary)
    expect(house.asked[0]?.headers).not.toHaveProperty('authorization')
  })

  test('is told to no other: the plan is refused before anything is asked', async () => {
    const { code, stdout } = await run(ofTheDiary(claude))
    expect([code, stdout]).toEqual([3, expect.stringContaining('"FLOW_R2"')])
    expect(cloud.asked).toEqual([])
  })

  test('is told to nobody where the provider is not one that the plan names', async () => {
    const { code, stdout } = await run(ofTheDiary({ ...own, provider: { $from: 'diary#/text' } }))
    expect([code, stdout]).not.toEqual([0, expect.anything()])
    expect(stdout).toMatch(/"(?:FLOW_R1|INVALID_ARGUMENT)"/)
    expect(cloud.asked).toEqual([])
  })
})

describe('an answer that takes its time', () => {
  test('is told of in characters while it comes, and shown when it is whole', async () => {
    const goOn = house.pause()
    const file = join(state, 'slow.json')
    const steps = ofNothing(own)
    writeFileSync(
      file,
      JSON.stringify({ version: 1, goal: 'g', steps, answer: { from: ['words'] } }),
    )
    const running = startCli(['run', file, '--request-id', 'slow-1', '--state', state])
    await running.says('characters so far')
    const { stdout } = await runCli(['runs', 'show', 'slow-1', '--state', state, '--json'])
    const [step] = z.object({ steps: z.array(z.looseObject({})) }).parse(JSON.parse(stdout)).steps
    expect(step).toMatchObject({
      outcome: 'running',
      progress: { done: expect.any(Number), total: null, unit: 'characters' },
    })
    // Half of it has come, and nobody is shown a word of it.
    expect([running.said(), stdout].join('')).not.toContain(houseWords.slice(0, 6))
    goOn()
    const { code, stdout: shown } = await running.ended
    expect([code, shown]).toEqual([0, expect.stringContaining(houseWords)])
  })
})

describe('a provider', () => {
  test('is asked with the key of the gateway, and told what the person wrote and nothing else', async () => {
    const { code, stdout, stderr } = await run(ofNothing(claude))
    expect([code, told(stdout).answer], stderr).toEqual([
      0,
      expect.stringContaining('Dinner on Friday, four people.'),
    ])
    expect(cloud.asked.map(({ path }) => path)).toEqual(['/v1/messages'])
    const [{ headers, body } = { headers: {}, body: '' }] = cloud.asked
    expect(headers).toMatchObject({ 'x-api-key': key, host: new URL(cloud.origin).host })
    expect(JSON.stringify(headers)).not.toMatch(/stainless|node|linux/i)
    expect(body).toContain('Wish a good day.')
    expect(JSON.stringify(cloud.asked)).not.toContain(diary)
    expect(JSON.stringify(cloud.asked)).not.toContain(noKey)
  })

  test('is reserved two cents for, and counted for what it came to, or for an eighth', async () => {
    // 412 tokens in and 38 out, at 0.1 and 0.5 USD a million, are 61 millionths of a dollar.
    expect(await spent()).toMatchObject([{ agent: null }, { day: 2_500, month: 2_500, open: 0 }])
  })

  test('has a key that is not in what the agent was started with', async () => {
    const { pid } = await processOf(deployment, 'agent model.0')
    for (const name of ['environ', 'cmdline']) {
      expect(readFileSync(`/proc/${pid}/${name}`, 'latin1')).not.toContain(key)
    }
    expect(deployment.said()).not.toContain(key)
  })

  test.skipIf(process.getuid?.() !== 0)(
    `has a key that is not in the agent's memory (root only)`,
    async () => {
      const { pid } = await processOf(deployment, 'agent model.0')
      // What it surely holds is found, so what is not found is not there.
      expect(memoryHolds(pid ?? 0, noKey)).toBe(true)
      expect(memoryHolds(pid ?? 0, key)).toBe(false)
    },
  )

  test('that nobody named is not asked', async () => {
    const gemini = { provider: 'gemini', model: 'gemini-3.8-flash', maxMicroUsd: 20_000 }
    const { code, stdout } = await run(ofNothing(gemini))
    expect(code).toBe(1)
    expect(told(stdout).steps[0]).toMatchObject({ outcome: 'failed', code: 'UNAVAILABLE' })
    expect(cloud.asked.every(({ path }) => path === '/v1/messages')).toBe(true)
  })
})

describe('what may be spent in a day', () => {
  test('is not crossed by a call: it is refused before it is sent, and the run says so', async () => {
    const before = cloud.asked.length
    // One call that was answered, and one that failed, whose reservation stays.
    expect(await spent()).toMatchObject([{ agent: null, day: 22_500 }, {}])
    const { code, stdout, stderr } = await run(ofNothing({ ...claude, maxMicroUsd: 27_501 }))
    expect(code, stderr).toBe(3)
    expect(told(stdout).steps[0]).toMatchObject({ outcome: 'denied', code: 'POLICY' })
    expect(cloud.asked).toHaveLength(before)
    // The house costs nothing.
    expect((await run(ofNothing(own))).code).toBe(0)
    // What is reserved within the day is sent.
    const within = await run(ofNothing({ ...claude, maxMicroUsd: 27_500 }))
    expect([within.code, cloud.asked.length]).toEqual([0, before + 1])
  })
})

describe('what one request may spend', () => {
  const cheap = { ...claude, maxMicroUsd: 8_000 }

  test('is too little for a plan: nothing is registered, and the figures are told', async () => {
    const before = cloud.asked.length
    const { code, stdout, stderr } = await run(ofNothing(cheap), '--max-usd', '0.007999')
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('reserve 0.008 USD at the least, and 0.007999 USD is allowed'),
    ])
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      issues: [{ code: 'INFEASIBLE', fix: 'allow it 0.008 USD or more' }],
      estimate: { microUsd: { least: 8_000, most: 8_000 }, effects: 1 },
    })
    expect(cloud.asked).toHaveLength(before)
  })

  test('is not crossed by a second call, although the day has room for it', async () => {
    const before = cloud.asked.length
    const [first] = ofNothing(cheap)
    const more = { when: { cel: '1 == 1', with: {} }, needs: ['words'], onError: 'continue' }
    const steps = [{ ...first }, { ...first, id: 'again', ...more }]
    // What stays of the first call leaves less than the second would reserve.
    const held = await run(steps, '--max-usd', '0.008')
    expect(told(held.stdout).steps, held.stderr).toMatchObject([
      { id: 'words', outcome: 'settled' },
      { id: 'again', outcome: 'denied', code: 'REQUEST_LIMIT' },
    ])
    expect(held.stdout).toContain('with a larger --max-usd')
    expect(cloud.asked).toHaveLength(before + 1)
    const through = await run(steps, '--max-usd', '0.009')
    expect(told(through.stdout).steps, through.stderr).toMatchObject([
      { outcome: 'settled' },
      { id: 'again', outcome: 'settled' },
    ])
    expect([through.code, cloud.asked.length]).toEqual([0, before + 3])
  })

  test('and until when: a plan that begins later is refused, by the notary too', async () => {
    const before = cloud.asked.length
    const late = ofNothing(cheap).map((step) => ({ ...step, at: { local: '2099-01-01T08:00' } }))
    const refused = await run(late, '--deadline', '5m')
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/takes \d+ d .* at the least, and the deadline is in 5 min/),
    ])
    // An entry point that does not ask first.
    const requestId = 'begins-too-late'
    const plan = { version: 1, goal: 'g', steps: ofNothing(own), answer: { from: ['words'] } }
    const asked = { kind: 'plan', name: 'p', source: JSON.stringify(plan), inputs: {} } as const
    const ended = await connection.use(async (session) => {
      const stored = await session.putRequest(requestId, JSON.stringify(asked))
      if (stored.status !== 'STORED') throw new Error(JSON.stringify(stored))
      const limits = { deadline: { at: 1 } }
      const registered = await session.request({ requestId, ...asked, priority: 'MEDIUM', limits })
      if (registered.status !== 'REGISTERED') throw new Error(JSON.stringify(registered))
      await session.runs.submit({ requestId, requestRef: stored.ref })
      return session.runs.result(requestId)
    }, 120_000)
    expect(ended).toMatchObject({ status: 'denied', code: 'INFEASIBLE' })
    const shown = await runCli(['runs', 'show', requestId, '--state', state])
    expect(shown.stdout).toContain('nothing of it was begun (INFEASIBLE)')
    expect(cloud.asked).toHaveLength(before)
  })
})

/** Whether the bytes stand anywhere in what the process may write to. */
function memoryHolds(pid: number, text: string): boolean {
  const wanted = Buffer.from(text)
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  try {
    const maps = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')
    return maps.some((line) => {
      const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
      return (
        from !== '' &&
        regionHolds(memory, { from: Number(`0x${from}`), to: Number(`0x${to}`) }, wanted)
      )
    })
  } finally {
    closeSync(memory)
  }
}

const pageBytes = 1024 * 1024

function regionHolds(
  memory: number,
  { from, to }: { from: number; to: number },
  wanted: Buffer,
): boolean {
  const page = Buffer.alloc(pageBytes + wanted.length)
  for (let at = from; at < to; at += pageBytes) {
    const length = Math.min(page.length, to - at)
    let bytes = 0
    try {
      bytes = readSync(memory, page, 0, length, at)
    } catch {
      // Reserved and never used: there is nothing to read.
      continue
    }
    if (page.subarray(0, bytes).includes(wanted)) return true
  }
  return false
}
