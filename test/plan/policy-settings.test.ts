// `policy:` of bulkhead.yaml: what it may say, that it only tightens unless it says otherwise, and that
// what is wrong is named with its line.

import { describe, expect, it } from 'vitest'
import { parseConfiguration } from '../../plan/configuration.ts'
import {
  defaultSettings,
  settingsSchema,
  toSettings,
  unknownNames,
} from '../../plan/policy-settings.ts'
import { house } from './house.ts'

function settingsOf(yaml: string) {
  const parsed = parseConfiguration(yaml, 'bulkhead.yaml')
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return toSettings(parsed.configuration.policy)
}

function problemsOf(yaml: string) {
  const parsed = parseConfiguration(yaml, 'bulkhead.yaml')
  return parsed.ok ? [] : parsed.problems
}

describe('the policy of a configuration', () => {
  it('is the default where the file says nothing', () => {
    expect(settingsOf('')).toEqual(defaultSettings)
    expect(settingsOf('policy: {}')).toEqual(defaultSettings)
  })

  it('tightens by what it names', () => {
    const yaml = `policy:
  quiet: { from: "21:30", to: "08:00" }
  rates: { agentPerHour: 10 }
  budgets:
    user: { perDay: 50 }
    agents: { desk: { perMonth: 9 } }
    amounts: { desk.write: { perDay: 3, perMonth: 4, agentPerDay: 2 } }
    beyond: deny
  ask: [mail, desk.write]
  deny: [door]
`
    const settings = settingsOf(yaml)
    expect(settings).toEqual({
      version: 1,
      quiet: { from: 1_290, to: 480 },
      rates: { agentPerHour: 10, userPerHour: defaultSettings.rates.userPerHour },
      budgets: {
        user: { perDay: 50, perMonth: defaultSettings.budgets.user.perMonth },
        agent: defaultSettings.budgets.agent,
        agents: { desk: { perDay: defaultSettings.budgets.agent.perDay, perMonth: 9 } },
        amounts: {
          'desk.write': { agentPerDay: 2, agentPerMonth: 4, userPerDay: 3, userPerMonth: 4 },
        },
        beyond: 'deny',
      },
      ask: { mail: true, 'desk.write': true },
      deny: { door: true },
      unasked: {},
    })
    expect(settingsSchema.safeParse(settings).success).toBe(true)
  })

  it.each([
    ['later quiet', 'quiet: { from: "23:00", to: "07:00" }'],
    ['shorter quiet', 'quiet: { from: "22:00", to: "06:59" }'],
    ['quiet at another time', 'quiet: { from: "08:00", to: "20:00" }'],
    ['no quiet', 'quiet: off'],
    ['a higher rate of an agent', 'rates: { agentPerHour: 30001 }'],
    ['a higher rate of a user', 'rates: { userPerHour: 60001 }'],
    ['a higher budget of a user', 'budgets: { user: { perDay: 200001 } }'],
    ['a higher budget of each agent', 'budgets: { agent: { perMonth: 1000001 } }'],
    ['a higher budget of one agent', 'budgets: { agents: { desk: { perDay: 100001 } } }'],
    ['any budget of a currency', 'budgets: { amounts: { EUR: { perDay: 1, perMonth: 1 } } }'],
    ['fewer questions', 'unasked: [mail]'],
  ])('is refused for %s, unless it says that this is meant', (_name, line) => {
    expect(problemsOf(`timezone: UTC\npolicy:\n  ${line}\n`)).toEqual([
      {
        line: 3,
        message: expect.stringMatching(/^policy\./),
        hint: expect.stringMatching(/loosen/),
      },
    ])
    expect(problemsOf(`policy:\n  loosen: true\n  ${line}\n`)).toEqual([])
  })

  it.each([
    ['a word that nothing touches', 'unasked: [rocket]'],
    ['a name of no form', 'ask: ["Mail!"]'],
    ['a time that no clock shows', 'quiet: { from: "24:00", to: "07:00" }'],
    ['quiet that begins when it ends', 'quiet: { from: "22:00", to: "22:00" }'],
    ['a rate of nothing', 'rates: { agentPerHour: 0 }'],
    ['a switch that is off', 'loosen: false'],
    ['money that moves', 'allow: [money]'],
    ['a setting of another name', 'rates: { agentPerDay: 3 }'],
    ['a period of another name', 'budgets: { user: { perWeek: 3 } }'],
    ['a budget of another name', 'budgets: { family: { perDay: 3 } }'],
    ['a currency without a month', 'budgets: { amounts: { EUR: { perDay: 3 } } }'],
    ['a currency in small letters', 'budgets: { amounts: { eur: { perDay: 3, perMonth: 3 } } }'],
    ['an amount in fractions', 'budgets: { amounts: { a.b: { perDay: 0.5, perMonth: 3 } } }'],
    ['an amount below none', 'budgets: { amounts: { a.b: { perDay: -1, perMonth: 3 } } }'],
    ['neither yes nor no', 'budgets: { beyond: maybe }'],
  ])('is refused for %s, with its line', (_name, line) => {
    const [problem] = problemsOf(`policy:\n  ${line}\n`)
    expect(problem?.line).toBe(2)
    expect(problem?.hint).not.toBe('')
  })

  it('is refused for names that mean nothing here', () => {
    expect(unknownNames({ ask: ['desk.write', 'desk.wirte', 'mail'] }, house)).toEqual([
      { path: ['policy', 'ask'], name: 'desk.wirte', hint: 'did you mean desk.write?' },
    ])
    expect(unknownNames({ deny: ['zebra'] }, house)).toHaveLength(1)
    const budgets = {
      agents: { dsek: { perDay: 1 } },
      amounts: { 'desk.wirte': { perDay: 1, perMonth: 1 }, EUR: { perDay: 1, perMonth: 1 } },
    }
    expect(unknownNames({ budgets }, house)).toEqual([
      { path: ['policy', 'budgets', 'agents', 'dsek'], name: 'dsek', hint: 'did you mean desk?' },
      {
        path: ['policy', 'budgets', 'amounts', 'desk.wirte'],
        name: 'desk.wirte',
        hint: 'did you mean desk.write?',
      },
    ])
  })
})
