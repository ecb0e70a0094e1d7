// `bulkhead ask` on the sample home, with no key and no network: what is said is shown as a plan, run, and
// answered; a question and a refusal run nothing.

import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { requestsSchema, runSchema } from '../support/cli-shapes.ts'
import { sampleHomeForTests } from '../support/sample-home-tests.ts'

const { notes, cli, noteOf } = sampleHomeForTests('ask')
async function runs(): Promise<readonly string[]> {
  const { stdout } = await cli('runs', 'list', '--json')
  return requestsSchema.parse(JSON.parse(stdout)).map(({ requestId }) => requestId)
}

describe('asking on the sample home', () => {
  const words = 'what does tomorrow look like, and put it in my notes'
  const shownSchema = z.looseObject({
    ok: z.literal(true),
    digest: z.string(),
    plan: z.looseObject({
      steps: z.array(z.looseObject({ agent: z.string(), action: z.string() })),
    }),
  })

  it('shows the plan and runs nothing where nobody is there to say yes', async () => {
    const before = await runs()
    const { code, stdout, stderr } = await cli('ask', words)
    expect(stdout).toContain('calendar.list  only reads')
    expect(stdout).toContain('notes.append  write, can be undone, after events, todo')
    expect(stdout).toContain('nothing leaves the house')
    expect(stdout).toContain('nobody is asked on the way')
    expect(stderr).toContain(`next: npx bulkhead ask --yes "${words}"`)
    expect(code).toBe(2)
    expect(await runs()).toEqual(before)
    expect(readdirSync(notes)).not.toContain('one-day.md')
  })

  it('runs what it has shown, answers, and keeps the answer in a note', async () => {
    const dry = await cli('ask', words, '--dry-run', '--json')
    expect(dry.code, dry.stderr).toBe(0)
    const shown = shownSchema.parse(JSON.parse(dry.stdout))
    const { code, stdout, stderr } = await cli('ask', words, '--yes', '--json')
    expect(code, stderr).toBe(0)
    const run = runSchema.parse(JSON.parse(stdout))
    expect(run.status).toBe('completed')
    expect(run.audit.verified).toBe(true)
    expect(run.steps.map(({ agent, action }) => `${agent}.${action}`)).toEqual(
      shown.plan.steps.map(({ agent, action }) => `${agent}.${action}`),
    )
    const [title, ...agenda] = noteOf('one-day').trim().split('\n')
    const answer = run.answer ?? ''
    expect(answer).toContain('Kept in the note one-day.')
    // The note holds the same day as the answer, line for line, under what was asked.
    expect(noteOf('one-day')).toContain('## what does tomorrow look like')
    expect(title).not.toBe('')
    const kept = agenda.filter((line) => line.startsWith('  ')).map((line) => line.trim())
    expect(kept.length).toBeGreaterThan(0)
    for (const line of kept) expect(answer).toContain(line)
    const audited = await cli('audit', 'tail', '--run', run.requestId, '--json', '--limit', '50')
    expect(audited.stdout).toContain(shown.digest)
  })

  it('runs a recipe with what was said, to the letter', async () => {
    const said = 'remind me to water {{#plants}} & "ferns" on 2030-05-01 at 17:30'
    const { code, stdout, stderr } = await cli('ask', said, '--yes')
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('water {{#plants}} & "ferns"')
    expect(stdout).toContain('2030-05-01')
  })

  // What the sample home holds, as its generator wrote it; those of hledger and restic have tests of their own.
  it.each([
    ['put lunch with Anna in my calendar on 2030-05-02 at 12:30', /lunch with Anna/],
    ['when is lunch with Anna', /no event of the coming year/],
    ['set a timer for 10 minutes', /^Timer: /],
    ['which timers are running', /Timer, \d+ seconds left/],
    ['show my reminders', /Call Grandma/],
    ['read me my shopping note', /dog food, the large bag/],
    ['search my notes for boiler', /house, line \d+: The boiler was serviced in spring/],
    ['what did I write down lately', /shopping: # Shopping/],
    ["what's the weather like", /\d to -?\d+(?:\.\d)? °C/],
    ['how cold is it', /°C, .*wind/],
    ['when does the sun set tomorrow', /minutes of daylight/],
    ['any news?', /City news|A quiet blog|Science/],
    ['show my workouts of the last 30 days', /[1-9]\d* workouts, \d+/],
    ['how has my resting pulse been', /on average, \d+ to \d+/],
  ])('answers: %s', async (said, answer) => {
    const { code, stdout, stderr } = await cli('ask', said, '--yes')
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(answer)
  })

  it('asks with commands that can be typed as they stand', async () => {
    const before = await runs()
    const asked = await cli('ask', 'remind me to call Anna on 2030-05-01 at 5')
    expect(asked.code).toBe(2)
    const [, , evening = ''] = asked.stdout.split('\n').map((line) => line.trim())
    expect(evening).toBe('npx bulkhead ask "remind me to call Anna on 2030-05-01 at 17:00"')
    expect(await runs()).toEqual(before)
    const again = await cli('ask', 'remind me to call Anna on 2030-05-01 at 17:00', '--dry-run')
    expect(again.code, again.stderr).toBe(0)
    expect(again.stdout).toContain('due: "2030-05-01T17:00"')
  })

  it.each([
    ['pay the electricity bill', 'MOVES_MONEY'],
    ['turn on the lights in the kitchen', 'NO_ACTION'],
    ['colourless green ideas', 'NOT_UNDERSTOOD'],
  ])('refuses, and runs nothing: %s', async (said, reason) => {
    const before = await runs()
    const { code, stdout, stderr } = await cli('ask', said, '--yes', '--json')
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, refusal: { reason } })
    expect(stderr).toContain('next: npx bulkhead recipes')
    expect(await runs()).toEqual(before)
  })
})
