// `bulkhead chat` on the sample home, with no key and no network: what is said goes on from what was said, and
// a command that is killed anywhere loses no turn, runs none twice, and asks for no yes a second time.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { zoneOf } from '../../cli/zone.ts'
import { runCli, startCli } from '../support/cli.ts'
import { sampleHomeForTests } from '../support/sample-home-tests.ts'

const { state, cli, noteOf } = sampleHomeForTests('chat')

const lineSchema = z.looseObject({
  turnId: z.string(),
  words: z.string(),
  status: z.string(),
  understood: z.looseObject({ is: z.string(), written: z.string().optional() }).nullable(),
  run: z.looseObject({ status: z.string(), answer: z.string().nullable() }).nullable(),
})
const shownSchema = z.array(z.looseObject({ turnId: z.string(), words: z.string() }))

const chat = (input: readonly string[], ...args: readonly string[]) =>
  runCli(['chat', '--state', state, ...args], { input: input.map((line) => `${line}\n`).join('') })
async function lines(input: readonly string[], ...args: readonly string[]) {
  const { code, stdout, stderr } = await chat(input, '--json', ...args)
  const all = stdout.split('\n').filter((line) => line !== '')
  return { code, stderr, turns: all.map((line) => lineSchema.parse(JSON.parse(line))) }
}
async function shown() {
  const { stdout } = await cli('chat', 'show', '--json')
  return shownSchema.parse(JSON.parse(stdout))
}
/** What a command keeps of its own until it is over. */
const owed = () =>
  ['said-yes', 'chat/outbox', 'chat/unseen'].flatMap((folder) =>
    readdirSync(join(state, 'cli', folder)),
  )
const tomorrow = () => Temporal.Now.plainDateISO(zoneOf(state)).add({ days: 1 }).toString()
const behind = (day: string | undefined, days: number) =>
  Temporal.PlainDate.from(day ?? '')
    .add({ days })
    .toString()

describe('a conversation on the sample home', () => {
  it('takes "and the day after?" for the day after tomorrow, also in another process', async () => {
    const tomorrows = [tomorrow()]
    const first = await lines(['what does tomorrow look like', 'yes', 'and the day after?', 'yes'])
    const second = await lines(['and the day after?'], '--yes')
    expect(first.code, first.stderr).toBe(0)
    const days = [...first.turns, ...second.turns].map(({ run }) => run?.answer?.slice(0, 10))
    // A day may begin meanwhile: what was said of tomorrow stays that day.
    expect([...tomorrows, tomorrow()]).toContain(days[0])
    expect(days.slice(1)).toEqual([1, 2].map((more) => behind(days[0], more)))
    expect(first.turns[1]).toMatchObject({
      words: 'and the day after?',
      understood: { is: 'plan', written: expect.stringMatching(/^what does 20\S+ look like$/) },
      run: { status: 'completed', audit: { verified: true } },
    })
    expect(owed()).toEqual([])
  })

  it('asks once more for what is to be kept, and keeps it', async () => {
    const words = ['what does tomorrow look like', 'no', 'put it in my notes', 'yes']
    const { code, stderr, turns } = await lines(words)
    expect(code, stderr).toBe(0)
    expect(turns[1]?.run?.answer).toContain('Kept in the note one-day.')
    expect(noteOf('one-day')).toContain('## what does tomorrow look like')
  })

  it('asks which event is meant, and takes the number for an answer', async () => {
    const said = await lines([
      'put lunch with Anna in my calendar on 2030-05-02 at 12:30',
      'yes',
      'put dentist in my work calendar on 2030-05-03 at 10:30',
      'yes',
      'move it to 2030-05-06',
      'the second',
      'yes',
    ])
    const asked = said.turns[2]
    expect(asked).toMatchObject({ status: 'asked', run: null, understood: { is: 'question' } })
    const { run, status } = said.turns[3] ?? {}
    expect(status).toBe('begun')
    expect(run?.answer).toMatch(/^Moved: dentist, from 2030-05-03T10:30\S* to 2030-05-06T10:30/)
    expect(said.code, said.stderr).toBe(0)
  })

  it('starts anew where it is told to, and never refers behind that', async () => {
    await lines(['what is on tomorrow', 'no'])
    const anew = await lines(['and the day after?'], '--new')
    expect(anew.turns).toMatchObject([{ status: 'refused', run: null }])
    const again = await lines(['what is on tomorrow', 'no', '/new', 'and the day after?'])
    expect(again.turns.map(({ status }) => status)).toEqual(['dropped', 'refused'])
    expect(again.code).toBe(2)
  })

  it('runs nothing without a yes, and asks again at the next start', async () => {
    const words = 'note that nobody said yes'
    const unsaid = await chat([words])
    expect(unsaid.code).toBe(2)
    expect(unsaid.stderr).toContain('nothing was run: nobody said yes')
    const denied = await lines(['no'])
    expect(denied.turns).toMatchObject([{ words, status: 'dropped', run: null }])
    expect((await lines([])).turns).toEqual([])
    expect(noteOf('inbox')).not.toContain('nobody said yes')
  })

  it('is left with Ctrl-C and gone on with later', async () => {
    const words = 'note that I was away'
    const left = startCli(['chat', '--state', state], { input: `${words}\n`, staysOpen: true })
    await left.says('nobody is asked on the way')
    left.child.kill('SIGINT')
    const { code, stderr } = await left.ended
    expect(code).toBe(130)
    expect(stderr).toContain('Return with: npx bulkhead chat')
    expect((await lines(['yes'])).turns).toMatchObject([{ words, run: { status: 'completed' } }])
    expect(noteOf('inbox')).toContain('I was away')
  })
})

describe('a command that is killed', () => {
  const killed = join(import.meta.dirname, '..', 'support', 'killed-chat-main.ts')

  it.each([
    ['typed', ['yes']],
    ['said', ['yes']],
    ['planned', ['yes']],
    // Whoever has said yes is not asked again: there is nobody to say it now.
    ['said-yes', []],
    ['accepted', []],
    ['registered', []],
    ['begun', []],
  ])('when it has %s loses nothing and does nothing twice', async (point, then) => {
    const words = `note that it was killed at ${point}`
    const input = `${words}\nyes\n`
    const first = await runCli([state, point], { entry: killed, input })
    expect(first.code, first.stderr).toBe(-1)
    expect(first.stdout).toBe('')
    const next = await lines(then)
    expect(next.code, next.stderr).toBe(0)
    expect(next.turns).toMatchObject([{ words, status: 'begun', run: { status: 'completed' } }])
    expect(noteOf('inbox').split(`it was killed at ${point}\n`)).toHaveLength(2)
    expect((await shown()).filter((turn) => turn.words === words)).toHaveLength(1)
    expect(owed()).toEqual([])
    expect((await lines([])).turns).toEqual([])
  })
})
