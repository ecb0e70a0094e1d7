// `keys`: which keys a deployment has and how old they are, and replacing them while it runs. Over the
// supervisor's control socket. The rotation belongs to the supervisor: it goes on when this command
// is interrupted, and the next start finishes what a crash left.

import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { callControl } from '../control.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import { type Output, table } from '../output.ts'
import { findDeployment, notRunning } from '../session.ts'
import { suggest } from '../suggest.ts'
import { ask } from './platform.ts'

const kindsSchema = z.array(
  z.object({
    kind: z.string(),
    keys: z.array(z.object({ id: z.string(), state: z.string(), since: z.number() })),
  }),
)
const viewSchema = z.object({
  running: z.boolean(),
  kinds: z.array(z.string()),
  lines: z.array(z.string()),
  done: z.array(z.object({ kind: z.string(), retired: z.array(z.string()), current: z.string() })),
  failure: z
    .object({ code: z.string(), message: z.string(), next: z.string().optional() })
    .optional(),
})
type View = z.infer<typeof viewSchema>
const refusedSchema = z.object({ message: z.string(), next: z.string().optional() })

export async function keysListCommand(output: Output, state: string): Promise<ExitCode> {
  const kinds = await ask(state, '/keys', kindsSchema)
  const rotation = await ask(state, '/keys/rotation', viewSchema.nullable())
  const rows = kinds.flatMap(({ kind, keys }) => keys.map((key) => ({ kind, ...key })))
  output.data(rows, () =>
    table(
      rows.map(({ kind, id, state: held, since }) => [
        kind,
        held,
        since === 0 ? 'from the start' : `since ${new Date(since).toISOString().slice(0, 16)}Z`,
        id,
      ]),
    ),
  )
  if (rotation?.running === true) output.talk(`being rotated: ${rotation.kinds.join(', ')}`)
  return exitCodes.completed
}

/** Often enough to see each phase, and nothing for the supervisor. */
const lookEveryMs = 250

export async function keysRotateCommand(
  output: Output,
  state: string,
  kind: string,
  options: { readonly overlapMs: number | undefined },
): Promise<ExitCode> {
  const deployment = findDeployment(state)
  if (deployment === undefined) throw notRunning(state)
  const kinds = (await ask(state, '/keys', kindsSchema)).map((one) => one.kind)
  if (kind !== 'all' && !kinds.includes(kind)) {
    const known = [...kinds, 'all']
    throw new CommandError(`there is no kind of key called ${kind}${suggest(kind, known)}`, {
      exitCode: exitCodes.usage,
      next: `npx bulkhead keys rotate <${known.join('|')}>`,
    })
  }
  const query = new URLSearchParams({ kind })
  if (options.overlapMs !== undefined) query.set('overlapMs', String(options.overlapMs))
  const socket = deployment.controlSocket
  const { status, body } = await callControl(socket, 'POST', `/keys/rotate?${query}`)
  if (status !== 202) throw toRefusal(status, body)
  output.talk('it goes on when this command is interrupted; npx bulkhead keys list shows it')
  const view = await follow(state, output)
  if (view.failure !== undefined) {
    const { code, message, next } = view.failure
    throw new CommandError(`${code}: ${message}`, {
      exitCode: exitCodes.failed,
      next: next ?? 'npx bulkhead keys list',
    })
  }
  output.data({ rotated: view.done }, () =>
    table(view.done.map((one) => [one.kind, 'now', one.current])),
  )
  return exitCodes.completed
}

/** Says each line once, until the rotation has ended. */
async function follow(state: string, output: Output): Promise<View> {
  for (let said = 0; ; ) {
    const view = await ask(state, '/keys/rotation', viewSchema)
    for (const line of view.lines.slice(said)) output.talk(line)
    said = view.lines.length
    if (!view.running) return view
    await delay(lookEveryMs)
  }
}

function toRefusal(status: number, body: unknown): CommandError {
  const refused = refusedSchema.safeParse(body)
  return new CommandError(refused.data?.message ?? 'the supervisor refused', {
    exitCode: status === 400 ? exitCodes.usage : exitCodes.failed,
    next: refused.data?.next ?? 'npx bulkhead keys rotate --help',
  })
}
