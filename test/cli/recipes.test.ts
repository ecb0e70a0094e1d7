// `recipes`: what can be run, what it needs, and whether bulkhead.yaml names it. No platform runs: what is
// set up is read from what the supervisor left at its last start.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { catalogue } from '../../agents/catalogue.ts'
import { neededAgents, type WrittenReach } from '../../cli/set-up-agents.ts'
import { listRecipes } from '../../planner/recipes.ts'
import { runCli } from '../support/cli.ts'

let state: string
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-recipes-'))
})
afterEach(() => rmSync(state, { recursive: true, force: true }))

const screentime = (folder: string | null, origins: readonly string[]) => ({
  'screentime.0': {
    mounts: [{ from: 'screentime.folder', folder, at: '/data/screentime', mode: 'ro' }],
    egress: [{ id: 'activitywatch', origins: [...origins] }],
    programs: [],
  },
})
const put = (agents: WrittenReach['agents']) => {
  mkdirSync(join(state, 'public'))
  writeFileSync(join(state, 'public', 'reach.json'), JSON.stringify({ version: 1, agents }))
}
const needed = z.object({ agent: z.string(), state: z.string(), missing: z.array(z.string()) })
const listedSchema = z.array(
  z.object({
    name: z.string(),
    title: z.string(),
    phrases: z.array(z.string()),
    inputs: z.record(z.string(), z.unknown()),
    agents: z.array(needed),
  }),
)
const cli = (...args: readonly string[]) => runCli(['recipes', ...args, '--state', state])

describe('the list of recipes', () => {
  it('has each of them with its phrases, inputs and agents, whether asked for by its name or not', async () => {
    const { code, stdout } = await cli('--json')
    expect(code).toBe(0)
    const listed = listedSchema.parse(JSON.parse(stdout))
    expect(listed.map(({ name }) => name)).toEqual(listRecipes().map(({ name }) => name))
    const limits = listed.find(({ name }) => name === 'screen-time-limits')
    expect(limits?.phrases.join()).toContain('screen time')
    expect(limits?.inputs['gamesMinutes']).toEqual({ type: 'integer', default: 45 })
    expect(limits?.agents).toEqual([{ agent: 'screentime', state: 'unknown', missing: [] }])
    expect((await cli('list', '--json')).stdout).toBe(stdout)
  })

  it('says which settings an agent lacks', async () => {
    put(screentime(null, []))
    const { stdout } = await cli()
    expect(stdout).toMatch(/screentime \(not set up: screentime\.folder, screentime\.url\)/)
    expect(stdout).toMatch(/day \(date, today\)/)
    expect(stdout).toContain('"good morning"')
    // The others were not there at the last start.
    expect(stdout).toMatch(/whether they are set up is known after the first start/)
  })
})

describe('one recipe', () => {
  it('is shown with its steps, and with whom it asks about what', async () => {
    put(screentime('/home/anna/screentime', ['http://127.0.0.1:5600']))
    const { code, stdout } = await cli('show', 'screen-time-limits', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'screen-time-limits',
      agents: [{ agent: 'screentime', state: 'set-up', missing: [] }],
      steps: [{ id: 'limits', action: 'rules_check', effect: 'egress' }, {}, {}],
      asks: [],
      issues: [],
    })
  })

  it('is shown to a person with what to type', async () => {
    put(screentime(null, []))
    const { stdout, stderr } = await cli('show', 'screen-time-limits')
    expect(stdout).toMatch(/apps +screentime\.top +egress/)
    expect(stdout).toContain('asks nobody')
    expect(stderr).toContain('set these below agents: in bulkhead.yaml: screentime.folder')
    expect(stderr).toContain('npx bulkhead run screen-time-limits')
  })

  it('is shown with the command that has it run when most people want it to', async () => {
    const { stdout, stderr } = await cli('show', 'week-ahead')
    expect(stdout).toMatch(/schedule +sun at 18:00\n/)
    expect(stderr).toContain(
      'have it run sun at 18:00 with: npx bulkhead schedule add week-ahead\n',
    )
    const shown = JSON.parse((await cli('show', 'week-ahead', '--json')).stdout)
    expect(shown.schedule).toEqual({ at: '18:00', days: 'sun' })
    const unscheduled = await cli('show', 'remind-me')
    expect(unscheduled.stdout + unscheduled.stderr).not.toContain('schedule')
  })

  it('says which of its inputs are needed and which are not, and asks for what is needed', async () => {
    const { stdout, stderr } = await cli('show', 'remind-me')
    expect(stdout).toMatch(/what \(string, needed\), when \(string, if you like\)/)
    expect(stdout).toContain('known once its inputs are given')
    expect(stderr).toContain('npx bulkhead run remind-me --input what=...')
    const run = await runCli(['run', 'remind-me', '--state', state])
    expect([run.code, run.stdout]).toEqual([1, ''])
    expect(run.stderr).toContain('fix: --input what=...')
  })

  it('that is not there is a mistake, with what was meant', async () => {
    const { code, stdout, stderr } = await cli('show', 'screen-time-limit')
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/no recipe screen-time-limit \(did you mean screen-time-limits\?\)/)
    expect((await cli('show', '../recipes/morning-briefing')).code).toBe(2)
  })
})

describe('what an agent lacks', () => {
  const lacks = (actions: readonly string[], agents: WrittenReach['agents']) =>
    neededAgents(new Map([['feeds', actions]]), { catalogue, reach: { agents } })[0]
  const feeds = (folder: string | null, origins: string[]) => ({
    'feeds.0': {
      mounts: [{ from: 'feeds.folder', folder }],
      egress: [{ id: 'feeds', origins }],
      programs: [],
    },
  })

  it('is a server only where an action asks it', () => {
    expect(lacks(['search'], feeds('/feeds', []))?.missing).toEqual([])
    expect(lacks(['search', 'fetch_new'], feeds('/feeds', []))).toEqual({
      agent: 'feeds',
      state: 'partly',
      missing: ['feeds.origins'],
    })
    expect(lacks(['search'], feeds(null, ['https://example.org']))).toEqual({
      agent: 'feeds',
      state: 'not-set-up',
      missing: ['feeds.folder'],
    })
  })

  it('is not known of an agent that nobody has heard of, whatever its name', () => {
    const known = neededAgents(new Map([['__proto__', ['constructor']]]), {
      catalogue,
      reach: { agents: {} },
    })
    expect(known).toEqual([{ agent: '__proto__', state: 'unknown', missing: [] }])
  })
})
