// `agents connect`: what settings an agent wants, whether what they name is there, the lines of
// bulkhead.yaml for it, and, where the platform runs with them, whether the agent can work with them.
// Changes nothing.

import { catalogue } from '../../agents/catalogue.ts'
import { settingsOf } from '../../plan/agent-settings.ts'
import { parseConfiguration } from '../../plan/configuration.ts'
import { readIfThere } from '../../security/read-if-there.ts'
import { type Looked, lookAtSetting } from '../agent-connection.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import { type Output, table } from '../output.ts'
import { suggest } from '../suggest.ts'
import { attemptConnection } from './connection-attempt.ts'

export interface ConnectOptions {
  /** Of the deployment that is asked. */
  readonly state: string
  readonly config: string
  /** `<setting>=<value>`, in place of what the file says. */
  readonly set: readonly string[]
}

export async function agentsConnectCommand(
  output: Output,
  name: string,
  { state, config, set }: ConnectOptions,
): Promise<ExitCode> {
  const manifest = catalogue.get(name)
  if (manifest === undefined) {
    const next = 'npx bulkhead agent docs'
    throw usage(`there is no agent ${name}${suggest(name, [...catalogue.keys()])}`, next)
  }
  const settings = settingsOf(manifest)
  const given = givenOf(
    set,
    settings.map((setting) => setting.name),
    name,
  )
  const written = writtenIn(config, name)
  const rows = await Promise.all(
    settings.map(async (setting) => {
      const value = given.get(setting.name) ?? written.get(setting.name)
      const looked = value === undefined ? undefined : await lookAtSetting(setting, value, config)
      return { setting, value, looked }
    }),
  )
  const lines = [
    'agents:',
    `  ${name}:`,
    // What does not hold is not shown: in place of a reference somebody may have written the secret.
    ...rows.map(({ setting, value, looked }) =>
      looked?.ok === true
        ? `    ${setting.name}: ${JSON.stringify(value)}`
        : `    # ${setting.name}: ${setting.example}`,
    ),
  ]
  const document = rows.map(({ setting: { name: key, kind, use }, looked }) => {
    return { name: key, kind, use, state: stateOf(looked), message: looked?.message ?? '' }
  })
  const isThere = rows.every(({ looked }) => looked?.ok !== false)
  const values = new Map(
    rows.flatMap(({ setting, value }) => (value === undefined ? [] : [[setting.name, value]])),
  )
  const about = { manifest, state, config, values, isTyped: set.length > 0 }
  const attempts = isThere ? await attemptConnection(output, about) : []
  output.data({ agent: name, settings: document, lines, attempts }, () => [
    ...table(document.map((row) => [row.name, row.state, row.message || row.use])),
    ...(settings.length === 0 ? [`${name} wants no settings`] : ['', `${config}:`, ...lines]),
    ...(attempts.length === 0 ? [] : ['']),
    ...attempts.map(({ action, state: was, message }) =>
      action === null ? `${was}: ${message}` : `${name}.${action}  ${was}  ${message}`,
    ),
  ])
  if (!isThere) {
    output.problem(
      `what ${name} is set to is not there`,
      `mend it in ${config}, then npx bulkhead agents connect ${name}`,
    )
    return exitCodes.failed
  }
  const failed = attempts.find((one) => one.state === 'FAILED')
  if (failed !== undefined) {
    output.problem(`${name} cannot work with its settings: ${failed.message}`, failed.next ?? '')
    return exitCodes.failed
  }
  for (const { next } of attempts) if (next !== undefined) output.talk(`next: ${next}`)
  return exitCodes.completed
}

function stateOf(looked: Looked | undefined): 'not set' | 'ok' | 'FAILED' {
  if (looked === undefined) return 'not set'
  return looked.ok ? 'ok' : 'FAILED'
}

function givenOf(
  set: readonly string[],
  known: readonly string[],
  agent: string,
): ReadonlyMap<string, string> {
  const pairs = set.map((one): [string, string] => {
    const [key = '', ...rest] = one.split('=')
    return [key, rest.join('=')]
  })
  const stray = pairs.find(([key, value]) => !known.includes(key) || value === '')
  if (stray === undefined) return new Map(pairs)
  throw usage(
    `${agent} has no setting ${stray[0]} to be set so${suggest(stray[0], known)}`,
    `npx bulkhead agents connect ${agent}`,
  )
}

/** @throws CommandError for a file that is no configuration */
function writtenIn(config: string, agent: string): ReadonlyMap<string, string> {
  const text = readIfThere(config)
  if (text === undefined) return new Map()
  const parsed = parseConfiguration(text, config)
  if (parsed.ok) return new Map(Object.entries(parsed.configuration.agents?.[agent] ?? {}))
  const [problem] = parsed.problems
  throw usage(`${config}:${problem?.line ?? 1}: ${problem?.message ?? ''}`, `edit ${config}`)
}

function usage(message: string, next: string): CommandError {
  return new CommandError(message, { exitCode: exitCodes.usage, next })
}
