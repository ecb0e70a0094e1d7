// `bulkhead ask` before anything runs: only a yes that was typed or given opens a session, and what is not
// run says what to type.

import { describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { type AskOptions, askCommand } from '../../cli/commands/ask.ts'
import { CommandError } from '../../cli/exit-codes.ts'
import type { Output } from '../../cli/output.ts'
import { planWords } from '../../cli/plan-words.ts'
import { shellWord } from '../../cli/shell-word.ts'
import { compilePlan } from '../../plan/compile.ts'
import { nobody } from '../../plan/principals.ts'
import { decide } from '../support/policy.ts'

interface Asked {
  readonly code?: number
  readonly opened: boolean
  readonly said: string
  readonly data: string
  readonly error?: unknown
}

async function ask(words: string, options: Partial<AskOptions> = {}): Promise<Asked> {
  const said: string[] = []
  const data: string[] = []
  let opened = false
  const output: Output = {
    json: false,
    data: (_, human) => data.push(...human()),
    rows: () => undefined,
    line: () => undefined,
    talk: (line) => said.push(line),
    problem: (message) => said.push(message),
  }
  const open = () => {
    opened = true
    return Promise.reject(new Error('a session was opened'))
  }
  const given: AskOptions = {
    ...{ yes: false, dryRun: false, priority: 'MEDIUM', names: nobody, decide, zone: 'UTC' },
    limits: undefined,
    ...{ person: undefined, planner: undefined, models: [] },
    ...options,
  }
  const result = () => ({ opened, said: said.join('\n'), data: data.join('\n') })
  try {
    const code = await askCommand(open, output, words, given)
    return { code, ...result() }
  } catch (error) {
    return { error, ...result() }
  }
}

const typing = (text: string | undefined) => () => Promise.resolve(text)
const words = 'check my backups'

describe('a plan that was shown', () => {
  it.each(['', 'n', 'no', 'N', 'maybe', 'yes please', undefined])(
    'is not run on %j',
    async (text) => {
      const { code, opened, said } = await ask(words, { person: typing(text) })
      expect(said).toContain('backup.status  only reads')
      expect(said).toContain('nothing was run')
      expect(code).toBe(1)
      expect(opened).toBe(false)
    },
  )

  it.each(['y', 'Y', 'yes', ' yes '])('is run on %j', async (text) => {
    const { opened, said } = await ask(words, { person: typing(text) })
    expect(said).toContain('backup.status  only reads')
    expect(opened).toBe(true)
  })

  it('is not run where nobody is there, and the command says so', async () => {
    const { error, opened, data } = await ask(words)
    if (!(error instanceof CommandError)) throw new Error('no error')
    expect(error).toMatchObject({ exitCode: 2, next: 'npx bulkhead ask --yes "check my backups"' })
    expect(data).toContain('backup.status')
    expect(opened).toBe(false)
  })

  it('is not run with --dry-run, whatever else is given', async () => {
    const { code, opened } = await ask(words, { dryRun: true, yes: true, person: typing('y') })
    expect(code).toBe(0)
    expect(opened).toBe(false)
  })
})

describe('what a plan takes', () => {
  it('is the last line of what is shown', async () => {
    const { data } = await ask(words, { dryRun: true })
    expect(data.split('\n').at(-1)).toMatch(/^takes at most \d.*; no effects$/)
  })

  it('is held against what is allowed, before anything is opened', async () => {
    const limits = { deadline: { at: 1 } }
    const { code, opened, said } = await ask(words, { yes: true, limits })
    expect({ code, opened }).toEqual({ code: 1, opened: false })
    expect(said).toMatch(/INFEASIBLE .*the deadline is over\n {2}fix: give it until \d{4}-/)
    const enough = { deadline: { withinMs: 60_000 }, maxMicroUsd: 0 }
    expect((await ask(words, { yes: true, limits: enough })).opened).toBe(true)
  })

  it('is not left out of the command that says yes', async () => {
    const { error } = await ask(words, { limits: { maxMicroUsd: 0 } })
    expect(error).toMatchObject({ next: 'the same command once more, with --yes' })
  })
})

describe('with --yes', () => {
  it('nothing is shown or asked, and it runs', async () => {
    const person = () => Promise.reject(new Error('somebody was asked'))
    const { opened, said, data } = await ask(words, { yes: true, person })
    expect({ opened, said, data }).toEqual({ opened: true, said: '', data: '' })
  })

  it.each(['remind me to go at 5', 'pay the rent', 'colourless green ideas'])(
    'a question and a refusal run nothing: %s',
    async (text) => {
      expect((await ask(text, { yes: true, person: typing('y') })).opened).toBe(false)
    },
  )
})

describe('words that no recipe fits', () => {
  const strange = 'colourless green ideas'
  const models = ['local/qwen3:8b']

  it.each([strange, 'jot milk onto my note letters'])(
    'are asked of the model: %s',
    async (text) => {
      const { opened, said } = await ask(text, { models })
      expect({ opened, said }).toEqual({
        opened: true,
        said: 'no recipe fits: local/qwen3:8b is asked for a plan',
      })
    },
  )

  it.each([
    ['where none is set up', { models: [] }],
    ['where only recipes are wanted', { models, planner: 'rules' as const }],
    ['with --dry-run', { models, dryRun: true }],
  ])('are asked of none %s', async (_, options) => {
    const { opened, error } = await ask(strange, options)
    expect({ opened, error }).toEqual({ opened: false, error: expect.any(CommandError) })
  })

  it.each(['pay the rent', 'remind me to go at 5'])(
    'are not what a recipe understands and will not or cannot do yet: %s',
    async (text) => {
      expect((await ask(text, { models })).opened).toBe(false)
    },
  )

  it('are whatever the person says, with --planner model', async () => {
    const { opened, said } = await ask('check my backups', { models, planner: 'model' })
    expect({ opened, said }).toEqual({
      opened: true,
      // A recipe fits: nobody is told otherwise.
      said: 'local/qwen3:8b is asked for a plan',
    })
    const { error } = await ask('check my backups', { planner: 'model' })
    expect(error).toMatchObject({ exitCode: 2, message: 'no model is set up as planner' })
  })
})

describe('a question', () => {
  it('names commands, of which each can be typed', async () => {
    const { code, data } = await ask("remind me to buy Jo's cake on 2030-05-01 at 5")
    expect(code).toBe(2)
    expect(data).toContain(
      `npx bulkhead ask 'remind me to buy Jo'\\''s cake on 2030-05-01 at 17:00'`,
    )
    const either = await ask('remind me to say please')
    expect(either.data).toContain('npx bulkhead run remind-me --input "what=say please"')
  })
})

describe('a plan in words', () => {
  const told = (step: object) => {
    const plan = { version: 1, goal: 'G', steps: [{ id: 'a', ...step }], answer: { from: [] } }
    const result = compilePlan(plan, { inputs: {}, catalogue, decide })
    if (!result.ok) throw new Error(JSON.stringify(result.issues))
    return planWords(result).join('\n')
  }

  it('says what leaves the house, and to whom', () => {
    const args = { place: { lat: 48.2, lon: 16.4 } }
    const text = told({ agent: 'weather', action: 'now', args })
    expect(text).toContain('leaves the house: what a asks, to host forecast')
    expect(text).toContain('place/lat: 48.2')
    expect(text).not.toContain('nothing leaves')
  })

  it('says that something cannot be undone, and that it is asked about', () => {
    const args = { calendar: 'c', uid: 'u', scope: 'all', ifMatch: 'a'.repeat(43) }
    const text = told({ agent: 'calendar', action: 'delete', args })
    expect(text).toContain('CANNOT be undone')
    expect(text).toContain('you are asked before: a')
  })

  it('shows a text as a quotation, so that no terminal obeys it', () => {
    const text = told({ agent: 'notes', action: 'append', args: { note: 'n', text: 'x\u202ey' } })
    expect(text).toContain('text: "x\\u{202e}y"')
  })
})

describe('a word for a shell', () => {
  it.each([
    ['plain', 'plain'],
    ['two words', '"two words"'],
    ["it's", "'it'\\''s'"],
    ['$(rm -rf) `x` "y" \\', `'$(rm -rf) \`x\` "y" \\'`],
    ['!!', "'!!'"],
    ['', "''"],
  ])('%j', (text, word) => {
    expect(shellWord(text)).toBe(word)
  })
})
