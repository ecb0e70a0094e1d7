// What may differ between two runs of one plan in which one agent was two different attackers. Reads the
// plan as it was written: which step refers to which, and nothing else. Shares no code with the labels;
// what decides, by action, is the table of attacker-oracle.ts.

import { deciding, isOwners } from './attacker-oracle.ts'
import type { Run } from './interference-world.ts'
import type { Done } from './memory-agents.ts'

interface Step {
  readonly id: string
  readonly agent: string
  readonly action: string
  readonly args?: Readonly<Record<string, unknown>>
  readonly when?: unknown
  readonly forEach?: { readonly in: unknown }
}

export interface WrittenPlan {
  readonly steps: readonly Step[]
}

export interface Verdict {
  readonly fault?: string
  /** Effects of others that were the same in both, and those that differed as the plan says. */
  readonly same: number
  readonly differed: number
}

export function compare(
  plan: WrittenPlan,
  taken: string,
  [one, other]: readonly [Run, Run],
): Verdict {
  const edges = edgesFrom(plan.steps, taken)
  // A run that turns around tells that it does: an open channel. What it did until then is compared.
  const turned = one.status !== 'completed' || other.status !== 'completed'
  const [left, right] = [one, other].map(
    ({ done }) => new Map(done.map((did) => [keyOf(did), did])),
  )
  const verdict = { same: 0, differed: 0 }
  for (const key of new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])])) {
    const [a, b] = [left?.get(key), right?.get(key)]
    const found = a ?? b
    const edge = edges.get(found?.step ?? '')
    if (found === undefined || edge === undefined) continue
    const fault =
      a === undefined || b === undefined ? absence(found, edge, turned) : difference(a, b, edge)
    if (fault !== undefined) return { ...verdict, fault: `${taken} ${fault}` }
    if (a !== undefined && JSON.stringify(a.args) === JSON.stringify(b?.args)) verdict.same += 1
    else verdict.differed += 1
  }
  return verdict
}

interface Edge {
  /** Arguments that the plan makes of what the agent said, by their names. */
  readonly args: ReadonlySet<string>
  /** It decides whether the step happens, or how often. */
  readonly decides: boolean
}

/** Of each step that is another agent's. */
function edgesFrom(steps: readonly Step[], taken: string): ReadonlyMap<string, Edge> {
  const tainted = new Set<string>()
  const edges = new Map<string, Edge>()
  for (const { id, agent, args = {}, when, forEach } of steps) {
    const list = isTainted(forEach?.in, tainted)
    const isFrom = (value: unknown) =>
      isTainted(value, tainted) || (list && JSON.stringify(value).includes('"$item"'))
    const from = new Set(Object.keys(args).filter((name) => isFrom(args[name])))
    const decides = list || isFrom(when ?? null)
    if (agent === taken || from.size > 0 || decides) tainted.add(id)
    if (agent !== taken) edges.set(id, { args: from, decides })
  }
  return edges
}

function isTainted(value: unknown, tainted: ReadonlySet<string>): boolean {
  const references = JSON.stringify(value ?? null).matchAll(/"\$from":"([a-z0-9-]+)#/g)
  return [...references].some(([, id = '']) => tainted.has(id))
}

function absence(found: Done, { args, decides }: Edge, turned: boolean): string | undefined {
  // Too long a text, or too strange a one, is refused as an argument: the step fails.
  if (turned || args.size > 0) return undefined
  const { action } = found
  const name = `${found.agent}.${action}`
  const isEffect = Object.hasOwn(deciding, name)
  if (decides && (!isEffect || isOwners({ action: name, args: found.args }))) return undefined
  return `decides whether ${name} happens`
}

function difference(a: Done, b: Done, { args }: Edge): string | undefined {
  const name = `${a.agent}.${a.action}`
  const differing = Object.keys({ ...a.args, ...b.args }).filter(
    (key) => JSON.stringify(a.args[key]) !== JSON.stringify(b.args[key]),
  )
  // What an undo is told, the step itself was told, or its own agent has said.
  if (a.kind === 'undo') return undefined
  const wrong = differing.find((key) => !args.has(key) || deciding[name]?.includes(key) === true)
  return wrong === undefined ? undefined : `changes ${wrong} of ${name}`
}

function keyOf({ step, iteration, kind }: Done): string {
  return `${step}:${iteration}:${kind}`
}
