// The rules and what is built from them, with OPA itself: the committed module is what the sources say,
// both engines answer alike, and every rule, every condition of it and every entry of a table is needed:
// without it some case of policy-cases.ts comes out otherwise.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defaultSettings } from '../../plan/policy-settings.ts'
import { BuildError, buildPolicy, runOpa } from '../../security/policy/build.ts'
import {
  defaultEntrypoint,
  defaultIgnore,
  readDefaultPolicy,
} from '../../security/policy/default-policy.ts'
import { locateOpa, opaTimeoutMs, policyFolder } from '../support/opa.ts'
import { openPolicy } from '../support/policy.ts'
import { ordinary } from '../support/policy-case.ts'
import { policyCases } from '../support/policy-cases.ts'
import { mutationsOf } from '../support/rego-mutations.ts'

let opa: string
let folder: string
beforeAll(async () => {
  opa = await locateOpa()
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-policy-rules-'))
  writeFileSync(join(folder, 'cases.json'), JSON.stringify({ cases: policyCases }))
}, opaTimeoutMs)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const query = `[decision | some one in input.cases; question := one.question; settings := one.settings
  decision := data.bulkhead.decision with input as question with data.settings as settings]`

/** What OPA's own evaluator says to each case, in order. */
async function evaluate(rules: string): Promise<unknown> {
  const input = ['--input', join(folder, 'cases.json'), '--ignore', '*_test.rego']
  const args = ['eval', '--format', 'raw', '--fail', '--data', '.', ...input, query]
  return JSON.parse(await runOpa(opa, args, { folder: rules }))
}

describe('the default policy', () => {
  it('is, byte for byte, what the pinned OPA makes of the rules', async () => {
    const { wasm } = await buildPolicy(opa, {
      folder: policyFolder,
      entrypoint: defaultEntrypoint,
      ignore: defaultIgnore,
    })
    expect(Buffer.from(wasm).equals(readDefaultPolicy())).toBe(true)
  })

  it('is another module when a rule is another', async () => {
    const changed = join(folder, 'changed')
    cpSync(policyFolder, changed, { recursive: true })
    const file = join(changed, 'allow.rego')
    writeFileSync(file, readFileSync(file, 'utf8').replace('input.hasUndo == true', 'true'))
    const { wasm } = await buildPolicy(opa, {
      folder: changed,
      entrypoint: defaultEntrypoint,
      ignore: defaultIgnore,
    })
    expect(Buffer.from(wasm).equals(readDefaultPolicy())).toBe(false)
  })

  it('is formatted, sound, and tested in every line', async () => {
    const ignore = defaultIgnore.flatMap((pattern) => ['--ignore', pattern])
    await runOpa(opa, ['fmt', '--fail', '--list', '.'], { folder: policyFolder })
    await runOpa(opa, ['check', '--strict', '.'], { folder: policyFolder })
    const tests = ['test', '--coverage', '--threshold', '100', ...ignore, '.']
    await runOpa(opa, tests, { folder: policyFolder })
  })

  it('answers as OPA does, case by case', async () => {
    const compiled = await Promise.all(
      policyCases.map(async ({ question, settings }) =>
        (await openPolicy(settings)).decide(question),
      ),
    )
    expect(await evaluate(policyFolder)).toEqual(compiled)
  })
})

describe('with less of it, some case comes out otherwise', () => {
  const sources = readdirSync(policyFolder).filter((name) =>
    /^(?:allow|ask|deny)\.rego$/.test(name),
  )
  const mutations = sources.flatMap((name) =>
    mutationsOf(readFileSync(join(policyFolder, name), 'utf8')).map((one) => ({ name, ...one })),
  )

  it('for every rule, condition and entry there is such a mutation', () => {
    expect(sources).toEqual(['allow.rego', 'ask.rego', 'deny.rego'])
    const count = (wanted: string) => mutations.filter(({ kind }) => kind === wanted).length
    const text = sources.map((name) => readFileSync(join(policyFolder, name), 'utf8')).join('\n')
    expect(count('rule')).toBe(text.match(/^[a-z].* if /gm)?.length)
    expect(count('condition')).toBeGreaterThanOrEqual(30)
    expect(count('entry')).toBe(5)
  })

  it.each(mutations)('$name: $kind $what', async ({ name, text }) => {
    const rules = mkdtempSync(join(folder, 'less-'))
    for (const source of readdirSync(policyFolder).filter((one) => one.endsWith('.rego'))) {
      cpSync(join(policyFolder, source), join(rules, source))
    }
    writeFileSync(join(rules, name), text)
    const decisions = await evaluate(rules)
    expect(Array.isArray(decisions) && decisions.length).toBe(policyCases.length)
    const other = policyCases.filter(({ verdict, rules: named }, index) => {
      const decision = (decisions as { verdict: string; rules: readonly string[] }[])[index]
      return decision?.verdict !== verdict || `${decision.rules}` !== `${named}`
    })
    expect(other.map((one) => one.name)).not.toEqual([])
  })
})

describe('a decision', () => {
  const asking = (count: number) => {
    const names = Array.from({ length: count }, (_, index) => [`desk.a${index}`, true])
    return { ...defaultSettings, ask: Object.fromEntries(names) }
  }
  /** Expressions that OPA looks at for one question. */
  async function steps(rules: string, count: number, input: object): Promise<number> {
    const file = join(folder, 'question.json')
    const one = { question: { ...ordinary, action: 'a5' }, settings: asking(count), ...input }
    writeFileSync(file, JSON.stringify(one))
    const entry =
      rules === policyFolder ? 'data.bulkhead.decision' : 'data.bulkhead.household.answer'
    const asked = `question := input.question; settings := input.settings
      answer := ${entry} with input as question with data.settings as settings`
    const args = ['eval', '--profile', '--profile-limit', '0', '--format', 'json', '--data', '.']
    const left = ['--ignore', '*_test.rego', '--input', file]
    const said = await runOpa(opa, [...args, ...left, asked], { folder: rules })
    const { profile } = z
      .object({ profile: z.array(z.object({ num_eval: z.number() })).min(1) })
      .parse(JSON.parse(said))
    return profile.reduce((sum, { num_eval }) => sum + num_eval, 0)
  }

  it('looks at no more of the rules’ lines where the household has named a thousand actions', async () => {
    const few = await steps(policyFolder, 10, {})
    expect(await steps(policyFolder, 1_000, {})).toBe(few)
    // It can tell: what else is asked about costs more lines.
    const touched = { question: { ...ordinary, touches: ['door', 'lock', 'alarm'] } }
    expect(await steps(policyFolder, 10, touched)).toBeGreaterThan(few)
  })

  it('looks at no more of them where a household has a thousand rules with keys', async () => {
    const made = (count: number) => {
      const rules = mkdtempSync(join(folder, 'many-'))
      cpSync(join(policyFolder, 'household', 'answer.rego'), join(rules, 'answer.rego'))
      const lines = Array.from(
        { length: count },
        (_, index) => `ask_for["desk.a${index}"] contains "r${index}" if input.effect == "write"\n`,
      )
      writeFileSync(join(rules, 'many.rego'), ['package household\n', ...lines].join('\n'))
      return rules
    }
    expect(await steps(made(1_000), 1, {})).toBe(await steps(made(10), 1, {}))
  })
})

describe('rules that OPA refuses', () => {
  it('are refused with what OPA says of them', async () => {
    const broken = mkdtempSync(join(folder, 'broken-'))
    writeFileSync(join(broken, 'a.rego'), 'package bulkhead\n\ndecision if {')
    const build = buildPolicy(opa, { folder: broken, entrypoint: defaultEntrypoint })
    await expect(build).rejects.toThrow(BuildError)
    await expect(build).rejects.toThrow(/a\.rego/)
  })
})
