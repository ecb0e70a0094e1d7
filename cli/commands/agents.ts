// `agents`: which there are, what holds them, shutting one out and letting it in again. All over the
// supervisor's control socket, so that it works when the bus does not.

import { z } from 'zod'
import { callControl } from '../control.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import { type Output, table } from '../output.ts'
import { findDeployment, notRunning } from '../session.ts'
import { suggest } from '../suggest.ts'
import { ask } from './platform.ts'

const heldSchema = z.looseObject({
  agent: z.string(),
  n: z.number(),
  /** Milliseconds since the epoch. */
  since: z.number(),
  by: z.string(),
  code: z.string(),
  reason: z.string(),
  recorded: z.boolean(),
})
type Held = z.infer<typeof heldSchema>

const programSchema = z.looseObject({
  name: z.string(),
  setting: z.string(),
  path: z.string().nullable(),
  state: z.enum(['found', 'missing', 'not set']),
})
const agentSchema = z.looseObject({
  name: z.string(),
  /** Absent in a list. */
  programs: z.array(programSchema).optional(),
  state: z.string(),
  quarantine: z.array(heldSchema),
  pool: z.looseObject({ breaker: z.enum(['closed', 'open', 'half-open']), since: z.number() }),
  metrics: z.looseObject({
    executed: z.number().nullable(),
    failed: z.number().nullable(),
    meanMs: z.number().nullable(),
    lastHeartbeat: z.number().nullable(),
    heartbeat: z.enum(['none', 'present', 'missing']),
  }),
})

export async function agentsListCommand(output: Output, state: string): Promise<ExitCode> {
  const agents = await ask(state, '/agents', z.array(agentSchema))
  output.data(agents, () =>
    table(
      agents.map(({ name, state, metrics, pool, quarantine }) => [
        ...[name, state, workOf(metrics), ...silenceOf(metrics), ...breakerOf(pool)],
        ...quarantine.map(causeOf),
      ]),
    ),
  )
  return exitCodes.completed
}

export async function agentsShowCommand(
  output: Output,
  state: string,
  name: string,
): Promise<ExitCode> {
  await assertKnown(state, name)
  const agent = await ask(state, `/agents/${name}`, agentSchema)
  output.data(agent, () => JSON.stringify(agent, null, 2).split('\n'))
  for (const program of agent.programs ?? []) output.talk(programWords(program))
  for (const held of agent.quarantine) output.talk(adviceFor(held))
  return exitCodes.completed
}

function programWords({ name, setting, path, state }: z.infer<typeof programSchema>): string {
  switch (state) {
    case 'found':
      return `runs ${name}: ${path}`
    case 'missing':
      return `cannot run ${name}: ${path} is no program; install it, or set ${setting} to what \`command -v ${name}\` says`
    case 'not set':
      return `does without ${name}: ${setting} is not set`
    default:
      return state satisfies never
  }
}

const imposedSchema = z.object({ held: z.array(heldSchema), busRefuses: z.boolean() })
const restoredSchema = z.object({ restored: z.array(heldSchema) })
const refusedSchema = z.object({ error: z.string(), next: z.string().optional() })

export interface QuarantineOptions {
  readonly replica: number | undefined
  readonly reason: string
}

export async function agentsQuarantineCommand(
  output: Output,
  state: string,
  name: string,
  options: QuarantineOptions,
): Promise<ExitCode> {
  const done = await change(state, name, 'quarantine', options, imposedSchema)
  output.data(done, () =>
    done.held.map((held) => `${held.agent}.${held.n} is shut out: ${causeOf(held)}`),
  )
  if (done.held.some(({ recorded }) => !recorded)) {
    output.talk(
      'the notary does not answer: it is told as soon as it does, and until then authorises',
    )
    output.talk('nothing, because it cannot; the sandbox has ended and does not start again')
  }
  if (!done.busRefuses) {
    output.talk('the bus server did not answer: it is told again when the notary is')
  }
  return exitCodes.completed
}

export async function agentsRestoreCommand(
  output: Output,
  state: string,
  name: string,
  options: QuarantineOptions,
): Promise<ExitCode> {
  const done = await change(state, name, 'restore', options, restoredSchema)
  output.data(done, () =>
    done.restored.length === 0
      ? [`${name} was not shut out`]
      : done.restored.map(
          (held) => `${held.agent}.${held.n} may run again; it was: ${causeOf(held)}`,
        ),
  )
  for (const held of done.restored) output.talk(adviceFor(held))
  return exitCodes.completed
}

const acceptedSchema = z.object({ accepted: z.record(z.string(), z.array(z.string())) })

export async function agentsAcceptReachCommand(output: Output, state: string): Promise<ExitCode> {
  const deployment = findDeployment(state)
  if (deployment === undefined) throw notRunning(state)
  const { body } = await callControl(deployment.controlSocket, 'POST', '/reach/accept', changeMs)
  const done = acceptedSchema.parse(body)
  const grown = Object.entries(done.accepted)
  output.data(done, () =>
    grown.length === 0
      ? ['no agent can reach more than was accepted']
      : grown.flatMap(([name, lines]) => [`${name} may now:`, ...lines.map((line) => `  ${line}`)]),
  )
  return exitCodes.completed
}

/** Longer than the bus server and the notary together may take to answer. */
const changeMs = 40_000

async function change<T>(
  state: string,
  name: string,
  call: 'quarantine' | 'restore',
  { replica, reason }: QuarantineOptions,
  schema: z.ZodType<T>,
): Promise<T> {
  await assertKnown(state, name)
  const deployment = findDeployment(state)
  if (deployment === undefined) throw notRunning(state)
  const query = new URLSearchParams({
    reason,
    ...(replica === undefined ? {} : { replica: String(replica) }),
  })
  const path = `/agents/${name}/${call}?${query}`
  const { status, body } = await callControl(deployment.controlSocket, 'POST', path, changeMs)
  if (status === 200) return schema.parse(body)
  const { error, next } = refusedSchema.parse(body)
  throw new CommandError(error, {
    exitCode: status === 400 || status === 404 ? exitCodes.usage : exitCodes.failed,
    next: next ?? 'npx bulkhead status',
  })
}

async function assertKnown(state: string, name: string): Promise<void> {
  const known = await ask(state, '/agents', z.array(agentSchema))
  const names = known.map((agent) => agent.name)
  if (names.includes(name)) return
  throw new CommandError(`there is no agent ${name}${suggest(name, names)}`, {
    exitCode: exitCodes.usage,
    next: 'npx bulkhead agents list',
  })
}

/** What it has done since its start, as it says itself; '-' before it has said anything. */
function workOf({ executed, failed, meanMs }: z.infer<typeof agentSchema>['metrics']): string {
  if (executed === null) return '-'
  const mean = meanMs === null ? '' : `, ${Math.round(meanMs)} ms each`
  return `${executed} done, ${failed ?? 0} failed${mean}`
}

function silenceOf({
  heartbeat,
  lastHeartbeat,
}: z.infer<typeof agentSchema>['metrics']): readonly string[] {
  if (heartbeat !== 'missing') return []
  const since = lastHeartbeat === null ? '' : ` since ${new Date(lastHeartbeat).toISOString()}`
  return [`no heartbeat${since}`]
}

function breakerOf({ breaker, since }: z.infer<typeof agentSchema>['pool']): readonly string[] {
  if (breaker === 'closed') return []
  return [`does not answer since ${new Date(since).toISOString()}: steps wait`]
}

function causeOf({ by, since, code, reason }: Held): string {
  const why = [code, reason].filter((part) => part !== '').join(', ')
  return `${why} (by ${by}, ${new Date(since).toISOString()})`
}

/** What to look at before, or right after, an agent is trusted again. */
function adviceFor({ agent, code }: Held): string {
  const rows = `npx bulkhead audit query --agent ${agent}`
  switch (code) {
    case 'DUPLICATE_IDENTITY':
      return `look first: somebody else has its key and certificate, which stay valid once it is restored; npx bulkhead keys rotate nkeys, then ${rows}`
    case 'FORGED_RECEIPT':
      return `look first: it signed what did not happen; what it did before is in ${rows}, and its data in the folders of: npx bulkhead agents show ${agent}`
    case 'EVENT_FLOOD':
      return `look first: what it said is in ${rows} and in its log below logs/ of the state folder`
    default:
      return `look first: ${rows}`
  }
}
