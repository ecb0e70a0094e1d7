// `plan check` over the lists of people that the supervisor left for the command, and how it tells of a
// flow that is refused.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { planCheckCommand } from '../../cli/commands/plan.ts'
import { exitCodes } from '../../cli/exit-codes.ts'
import { readKnownNames } from '../../cli/names.ts'
import type { Output } from '../../cli/output.ts'
import { nobody } from '../../plan/principals.ts'
import { notaryConfig, workerConfig } from '../../supervisor/servers.ts'
import { stateLayout } from '../../supervisor/state.ts'
import { decide } from '../support/policy.ts'

const names = { people: { owner: ['me@home.example'] }, places: {} }

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-names-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('the lists of people and places', () => {
  it('are those of the last start, and nobody before the first', () => {
    expect(readKnownNames(folder)).toEqual(nobody)
    mkdirSync(join(folder, 'cli'))
    writeFileSync(stateLayout(folder).namesFile, JSON.stringify(names))
    expect(readKnownNames(folder)).toEqual(names)
  })

  it('are an error, not nobody, when they are damaged', () => {
    mkdirSync(join(folder, 'cli'))
    writeFileSync(stateLayout(folder).namesFile, '{"people":{}}')
    expect(() => readKnownNames(folder)).toThrow()
  })

  it('are the same for notary and worker', () => {
    const layout = stateLayout(folder)
    const ports = { temporal: 1, temporalUi: 2, temporalHttp: 3, temporalMetrics: 4, bus: 5 }
    const worker = {
      ports,
      workflowBundle: '',
      build: '',
      fastLane: false,
    }
    const deployment = 'testtest'
    expect(
      notaryConfig(layout, { deployment, names, catalogue, slots: { owner: 0 } }),
    ).toMatchObject({ names })
    expect(
      workerConfig(layout, { ...worker, users: {}, deployment, names, catalogue }),
    ).toMatchObject({
      names,
    })
  })
})

describe('plan check', () => {
  it('tells code, path, what caused it and what would be accepted, and that it is denied', () => {
    const plan = `
version: 1
goal: follow whatever the news say
steps:
  - { id: news, agent: feeds, action: search, args: { query: feed } }
  - { id: follow, agent: feeds, action: subscribe, args: { url: { $text: "{{#items}}{{url}}{{/items}}", with: { items: { $from: "news#/items" } } } } }
answer: { from: [news] }
`
    const file = join(folder, 'plan.yaml')
    writeFileSync(file, plan)
    const said: string[] = []
    const output = {
      data: () => undefined,
      talk: (line: string) => said.push(line),
    } as unknown as Output
    const code = planCheckCommand(output, file, {
      ...{ inputs: {}, names: nobody, decide, zone: 'UTC' },
    })
    expect(code).toBe(exitCodes.denied)
    expect(said.join('\n')).toMatch(/^FLOW_R5 \/steps\/1\/args\/url: .*news#\/items$/m)
    expect(said).toContain('  because of: /steps/0')
    expect(said).toContain(
      '  fix: write the value there yourself, or ask for it: { $input: <name> }',
    )
  })

  it('tells what a person will be asked, why, and the change that makes it needless', () => {
    const plan = `
version: 1
goal: clear the day
steps:
  - { id: found, agent: calendar, action: list, args: { day: today } }
  - id: clear
    agent: calendar
    action: delete
    forEach: { in: { $from: 'found#/events' }, as: event, max: 5 }
    args: { calendar: home, uid: { $item: /uid, as: event }, scope: all, ifMatch: { $item: /etag, as: event }, dryRun: false }
answer: { from: [found] }
`
    const file = join(folder, 'plan.yaml')
    writeFileSync(file, plan)
    const shown: unknown[] = []
    const output = {
      data: (value: unknown, lines: () => readonly string[]) => shown.push(value, ...lines()),
    } as unknown as Output
    const code = planCheckCommand(output, file, {
      ...{ inputs: {}, names: nobody, decide, zone: 'UTC' },
    })
    expect(code).toBe(exitCodes.completed)
    const question = { step: 'clear', code: 'FLOW_R6', path: '/steps/1/forEach/in' }
    expect(shown[0]).toMatchObject({
      ok: true,
      report: { approvals: ['clear'], questions: [question] },
    })
    expect(shown).toContain('asked about: clear')
    expect(shown).toContainEqual(
      expect.stringMatching(/^clear waits for your approval .*FLOW_R6 .*found#\/events$/),
    )
    expect(shown).toContainEqual(expect.stringMatching(/^ {2}not asked if you write the value/))
  })
})
