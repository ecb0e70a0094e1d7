// Plans that build on what an earlier run found, on the sample home: an event that one run has found is moved
// by the next, and noted by a third; what nobody has, or what is there no more, is refused with what to type.

import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runSchema } from '../support/cli-shapes.ts'
import { sampleHomeForTests } from '../support/sample-home-tests.ts'

const { base, state, cli, noteOf } = sampleHomeForTests('handles')
/** Of the run that has found the event. */
let found = ''

/** What a person has in a file of their own. */
const planFile = (name: string, steps: readonly object[], answer: object = { from: [] }) => {
  const path = join(base, `${name}.yaml`)
  writeFileSync(path, JSON.stringify({ version: 1, goal: name, steps, answer }))
  return path
}
const ofFound = (pointer: string, handle = found) => ({ $handle: handle, pointer })
const onDay = (day: string) => ({
  ...{ id: 'found', agent: 'calendar', action: 'find' },
  args: { at: day, with: 'Anna', calendars: ['family'] },
})
const noting = (handle?: string) => [
  {
    ...{ id: 'noted', agent: 'notes', action: 'append' },
    args: {
      note: 'found',
      text: { $text: 'asked for {{asked.with}}', with: { asked: ofFound('/asked', handle) } },
    },
  },
]

const shownSchema = runSchema.extend({
  steps: z.array(z.looseObject({ id: z.string(), handle: z.string().optional() })),
})
async function run(path: string) {
  const { code, stdout, stderr } = await cli('run', path, '--json')
  expect(code, stderr).toBe(0)
  return shownSchema.parse(JSON.parse(stdout))
}

describe('a plan that builds on an earlier run', () => {
  it('moves the event that was found, and finds it where it is then', async () => {
    const added = await cli(
      ...['run', 'add-event', '--input', 'what=lunch with Anna'],
      ...['--input', 'at=2030-05-02T12:30'],
    )
    expect(added.code, added.stderr).toBe(0)
    const { requestId, steps } = await run(planFile('find', [onDay('2030-05-02')]))
    found = `${requestId}/found/0`
    expect(steps[0]?.handle).toBe(found)
    const shown = await cli('runs', 'show', requestId)
    expect(shown.stdout).toContain(found)
    const moving = planFile('move', [
      {
        ...{ id: 'moved', agent: 'calendar', action: 'update' },
        when: { cel: 'event != null', with: { event: ofFound('/event') } },
        args: {
          ...{ calendar: 'family', uid: ofFound('/event/uid'), scope: 'this' },
          recurrenceId: ofFound('/event/recurrenceId'),
          ifMatch: ofFound('/event/etag'),
          patch: { start: '2030-05-03T12:30' },
        },
      },
    ])
    const checked = await cli('plan', 'check', moving)
    expect(checked.code, checked.stderr).toBe(0)
    expect(checked.stdout).toContain(`${found} is looked up when it is run`)
    expect((await run(moving)).steps).toMatchObject([{ id: 'moved', outcome: 'settled' }])
    const template = '{{#found}}{{#event}}{{summary}} {{start}}{{/event}}{{/found}}'
    const there = planFile('there', [onDay('2030-05-03')], { from: ['found'], template })
    expect((await run(there)).answer).toMatch(/lunch with Anna.*2030-05-03T12:30/)
  })

  it('renders what was found, and the audit verifies', async () => {
    const { audit } = await run(planFile('note', noting()))
    expect(audit.verified).toBe(true)
    expect(noteOf('found')).toContain('asked for "Anna"')
  })

  it('is refused before it begins where nobody has such a result', async () => {
    const other = planFile('other', noting('nothing-1/found/0'))
    const { code, stderr } = await cli('run', other)
    expect(code).toBe(1)
    expect(stderr).toContain('UNKNOWN_HANDLE')
    expect(stderr).toContain('next: npx bulkhead runs list')
  })

  it('is refused where what an agent found decides what is done, and names the run', async () => {
    const deciding = planFile('decide', [
      {
        ...{ id: 'noted', agent: 'notes', action: 'append' },
        args: { note: ofFound('/timeZone'), text: 'x' },
      },
    ])
    const { code, stderr } = await cli('run', deciding)
    expect(code).toBe(3)
    expect(stderr).toContain('FLOW_R1')
    expect(stderr).toContain(`because of: ${found}`)
  })

  it('fails with what to do where the result is kept no longer', async () => {
    const results = join(state, 'worker', 'artifacts', 'index')
    for (const folder of readdirSync(results)) {
      for (const file of readdirSync(join(results, folder))) rmSync(join(results, folder, file))
    }
    const { code, stdout } = await cli('run', planFile('late', noting()))
    expect(code).toBe(1)
    expect(stdout).toContain('a result that it builds on is gone')
    expect(stdout).toContain('first the plan that found it, then with the new handle')
  })
})
