// The planners that can be evaluated, by the name that `--model` takes: `rules`, or `<provider>/<model>`.

import { catalogue } from '../../agents/catalogue.ts'
import { type Provider, prices, providers } from '../../plan/model-prices.ts'
import { planFromConversation } from '../../planner/rules/follow-up.ts'
import { planFromWords } from '../../planner/rules/plan-from-words.ts'
import { keyVariables, usualOrigins } from './ask-provider.ts'
import { createModelPlanner, ModelError } from './model-planner.ts'
import type { EvalConverser, EvalPlanner } from './run-evals.ts'

const rules: EvalPlanner = {
  name: 'rules',
  propose: (words, context) =>
    Promise.resolve({ planned: planFromWords(words, context), costMicroUsd: 0 }),
}

export const planners: readonly EvalPlanner[] = [rules]

export interface Asking {
  readonly origin: string | undefined
  readonly maxUsd: number
  readonly maxOutputTokens: number
}

/** @throws ModelError that says what to type instead */
export function plannerOf(
  name: string,
  asking: Asking,
  env: Readonly<Record<string, string | undefined>>,
): EvalPlanner {
  const known = planners.find((one) => one.name === name)
  if (known !== undefined) return known
  const slash = name.indexOf('/')
  const provider = providers.find((one) => one === name.slice(0, Math.max(0, slash)))
  const model = name.slice(slash + 1)
  if (provider === undefined || model === '') {
    const models = prices.filter(({ gives }) => gives === 'words')
    const names = models.map((one) => `${one.provider}/${one.model}`)
    const next = `known: rules, ${names.join(', ')}, local/<model of the house>`
    throw new ModelError(`there is no planner ${name}\n${next}`)
  }
  const { origin = usualOrigins[provider], ...bounds } = asking
  return createModelPlanner({ provider, model, origin, key: keyOf(provider, name, env), ...bounds })
}

function keyOf(provider: Provider, name: string, env: Parameters<typeof plannerOf>[2]) {
  if (provider === 'local') return undefined
  const variable = keyVariables[provider]
  const key = env[variable]
  if (key !== undefined && key !== '') return key
  const next = `next: ${variable}=<key> npm run evals -- --model ${name}`
  throw new ModelError(`${provider} is asked with a key, and ${variable} has none\n${next}`)
}

const rulesInConversation: EvalConverser = {
  name: 'rules',
  converse: (words, context) =>
    Promise.resolve({
      ...planFromConversation(words, {
        ...context,
        changes: ({ agent, action }) => catalogue.get(agent)?.actions[action]?.effect !== 'read',
      }),
      costMicroUsd: 0,
    }),
}

export const conversers: readonly EvalConverser[] = [rulesInConversation]
