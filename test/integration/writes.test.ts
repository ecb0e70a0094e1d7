// Every write of every agent, on the sample home in a real deployment: it runs dry and shows what it would
// do, it is done and shows the same, and a run that fails after it takes it back. What cannot be taken back
// says so on its card, and what only asks a server changes nothing of a person's. The list is computed from
// the catalogue: an action without a row fails here by name.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { toJsonSchema } from '../../plan/json-schema.ts'
import { type DeclaredAction, effectsOf, hasDryRun } from '../support/effects-of.ts'
import { installed, installTimeoutMs } from '../support/installed.ts'
import { type Step, startWriteHouse, type WriteHouse } from '../support/write-house.ts'
import { shownIn, withoutClocks } from '../support/write-results.ts'
import { questionRows, type WriteRow, writeRows } from '../support/write-rows.ts'

const radicale = await installed('radicale')
const hledger = await installed('hledger')
for (const [name, program] of Object.entries({ radicale, hledger })) {
  if ('version' in program) console.info(`${name} ${program.version}`)
}
const missing = [radicale, hledger].flatMap((one) => ('missing' in one ? [one.missing] : []))

const declared = effectsOf(catalogue)
const isAsked = (name: string) => declared.some((one) => one.name === name && one.isAsked)
const ofKind = (kind: DeclaredAction['kind']) => declared.filter((one) => one.kind === kind)
const rows = writeRows('http://127.0.0.1:9')
const manifestOf = (name: string) => {
  const [agent = '', action = ''] = name.split('.')
  const manifest = catalogue.get(agent)
  const declaration = manifest?.actions[action]
  if (manifest === undefined || declaration === undefined) throw new Error(`no action ${name}`)
  return { manifest, action, declaration }
}

describe('the table', () => {
  test('has a row for every action that does more than read, and for no other', () => {
    const named = [...rows, ...questionRows].map(({ name }) => name)
    const wanted = declared.filter(({ kind }) => kind !== 'undo').map(({ name }) => name)
    expect(new Set(named)).toEqual(new Set(wanted))
  })

  test.each(ofKind('undo'))('$name is the undo of what has a row', ({ name, undoes }) => {
    const [agent] = name.split('.')
    for (const undone of undoes) expect(rows.map((row) => row.name)).toContain(`${agent}.${undone}`)
  })

  test('has what can be on a server there, too', () => {
    const remote = ofKind('write').filter(({ name }) =>
      manifestOf(name).declaration.egress?.includes('caldav-write'),
    )
    const there = rows.filter(({ at }) => at === 'server').map(({ name }) => name)
    expect(there).toEqual(expect.arrayContaining(remote.map(({ name }) => name)))
  })

  test.each(declared.filter(({ kind }) => kind !== 'question'))(
    '$name declares a dry run, and shows before and after',
    ({ name }) => {
      const { manifest, action, declaration } = manifestOf(name)
      expect(hasDryRun(manifest, action)).toBe(true)
      const { required } = toJsonSchema(declaration.output, 'output')
      expect(required).toEqual(expect.arrayContaining(['before', 'after']))
    },
  )

  test.each(ofKind('question'))('$name asks a server that its manifest names', ({ name }) => {
    const { effect, egress = [] } = manifestOf(name).declaration
    expect([effect, egress.length > 0]).toEqual(['egress', true])
  })
})

describe.skipIf(missing.length > 0)(
  `a write${missing.length > 0 ? ` (${missing.join('; ')})` : ''}`,
  { timeout: installTimeoutMs },
  () => {
    let house: WriteHouse
    beforeAll(async () => {
      if ('missing' in radicale || 'missing' in hledger) return
      house = await startWriteHouse({ radicale, hledger })
    }, installTimeoutMs)
    afterAll(() => house?.stop())

    const stepOf = (name: string, id: string, args: object): Step => {
      const [agent = '', action = ''] = name.split('.')
      return { id, agent, action, args }
    }
    const stepsOf = ({ name, args }: WriteRow, said: unknown, more: object = {}) => [
      stepOf(name, 'change', { ...args(said), ...more }),
    ]
    const world = async () => ({ files: house.files(), server: await house.server() })
    /** What the agent itself says; nothing where there is none of it yet. */
    const asked = async ({ told }: Pick<WriteRow, 'told'>): Promise<unknown> =>
      (await house.plan([{ ...told, id: 'told' }], ['told'])).results['told']
    /** With a failing step after it. */
    const thenFailing = (steps: readonly Step[]): readonly Step[] => [
      ...steps,
      { ...stepOf('notes.read', 'fail', { note: 'nowhere' }), needs: ['change'] },
    ]

    // The first rows of all: what is written to a server is in the copy of it that a sync makes.
    test.each(questionRows)('$name changes nothing that is a person’s', async (row) => {
      const before = await world()
      const steps = [stepOf(row.name, 'change', row.args)]
      const { code, run } = await house.plan(steps, ['change'])
      expect([code, run.steps[0]?.outcome], JSON.stringify(run)).toEqual([0, 'settled'])
      const after = await world()
      expect(after.server).toBe(before.server)
      const own = ({ files }: typeof before) =>
        Object.entries(files).filter(
          ([file]) => row.keeps === undefined || !file.startsWith(row.keeps.below),
        )
      expect(own(after)).toEqual(own(before))
      expect(await planned(steps)).toMatchObject([{ effect: 'egress', undo: false }])
    })

    const planned = async (steps: readonly Step[]) => {
      const { stdout } = await house.cli('plan', 'check', house.planFile(steps), '--json')
      return JSON.parse(stdout).report?.effects ?? JSON.parse(stdout).issues
    }
    /** Where it is asked about, by a person who approves what they are shown. */
    const carriedOut = async (name: string, steps: readonly Step[]) => {
      if (!isAsked(name)) return house.plan(steps, ['change'])
      const ran = await house.approved(steps, ['change'])
      const { undo } = manifestOf(name).declaration
      expect(ran.card).toContain(
        undo === 'none' ? 'irreversible, CANNOT be undone' : 'irreversible, can be undone',
      )
      return ran
    }

    test.each(rows.map(({ name, at = 'folder' }, index) => ({ index, name, at })))(
      '$name ($at) runs dry, is taken back by its run if it can be, and is done, showing the same',
      async ({ index, name }) => {
        const row = writeRows(house.web.origin)[index]
        if (row === undefined) throw new Error('no such row')
        const hasUndo = manifestOf(name).declaration.undo !== 'none'
        const [before, said] = [await world(), await asked(row)]
        expect(await planned(stepsOf(row, said))).toMatchObject([
          { effect: manifestOf(name).declaration.effect, undo: hasUndo },
        ])
        const dry = await carriedOut(name, stepsOf(row, said, { dryRun: true }))
        expect(dry.code, JSON.stringify(dry.run)).toBe(0)
        const intended = shownIn(dry.results['change'])
        expect(intended.before).not.toEqual(intended.after)
        expect(await world()).toEqual(before)

        const failed = await carriedOut(name, thenFailing(stepsOf(row, said)))
        const change = failed.run.steps.find(({ id }) => id === 'change')
        expect([failed.run.status, change?.outcome, change?.undo]).toEqual([
          ...['failed', 'settled'],
          hasUndo ? 'settled' : undefined,
        ])
        if (!hasUndo) {
          expect(await asked(row)).not.toEqual(said)
          return
        }
        expect(withoutClocks(await asked(row))).toEqual(withoutClocks(said))

        const done = await carriedOut(name, stepsOf(row, await asked(row)))
        expect(done.code, JSON.stringify(done.run)).toBe(0)
        const shown = shownIn(done.results['change'])
        expect(shown.before).toEqual(intended.before)
        if (row.isUnique !== true) expect(shown.after).toEqual(intended.after)
        expect(await world()).not.toEqual(before)
        expect(await asked(row)).not.toEqual(said)
      },
    )

    test.each(ofKind('undo'))('$name is asked for by no plan', async ({ name }) => {
      const { declaration } = manifestOf(name)
      const given = { calendar: 'work', note: 'ideas', account: 'assets:bank:joint' }
      const id = 'A'.repeat(43)
      const known = Object.keys(declaration.input.shape)
      const all = { ...given, change: id, entry: id }
      const args = Object.fromEntries(Object.entries(all).filter(([key]) => known.includes(key)))
      expect(await planned([stepOf(name, 'change', args)])).toMatchObject([
        { code: 'POLICY', path: '/steps/0' },
      ])
    })
  },
)
