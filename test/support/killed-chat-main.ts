// `bulkhead chat` that is killed at a named point, with SIGKILL, by itself: right behind the call that the
// point names, or right before it. With a gate it stands there instead, until the gate is released.
// Arguments: the state folder, the point, the gate's folder. Lines come from standard input.

import { pipedLines } from '../../cli/chat/input.ts'
import { chatCommand } from '../../cli/commands/chat.ts'
import { readKnownNames } from '../../cli/names.ts'
import { createOutput } from '../../cli/output.ts'
import { readPolicy } from '../../cli/policy.ts'
import { openSession, type Session } from '../../cli/session.ts'
import { zoneOf } from '../../cli/zone.ts'
import { stopAt } from './crash-gate.ts'

const [state = '', point = '', gate] = process.argv.slice(2)

type Call<A extends readonly unknown[], R> = (...args: A) => Promise<R>

/** Nothing runs behind it. */
function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => undefined)
}

const stand = () => (gate === undefined ? die() : stopAt(gate, point))

const before =
  <A extends readonly unknown[], R>(call: Call<A, R>): Call<A, R> =>
  async (...args) => {
    await stand()
    return call(...args)
  }
const after =
  <A extends readonly unknown[], R>(call: Call<A, R>): Call<A, R> =>
  async (...args) => {
    const result = await call(...args)
    await stand()
    return result
  }

const points: Readonly<Record<string, (session: Session) => Session>> = {
  typed: (all) => ({ ...all, putTurn: before(all.putTurn) }),
  said: (all) => ({ ...all, assistant: { ...all.assistant, say: after(all.assistant.say) } }),
  planned: (all) => ({
    ...all,
    assistant: { ...all.assistant, answer: after(all.assistant.answer) },
  }),
  'said-yes': (all) => ({
    ...all,
    assistant: { ...all.assistant, accept: before(all.assistant.accept) },
  }),
  accepted: (all) => ({
    ...all,
    assistant: { ...all.assistant, accept: after(all.assistant.accept) },
  }),
  registered: (all) => ({ ...all, request: after(all.request) }),
  begun: (all) => ({ ...all, assistant: { ...all.assistant, begin: after(all.assistant.begin) } }),
}

const killed = points[point]
if (killed === undefined) throw new Error(`no point ${point}`)
const { decide } = await readPolicy(state)
await chatCommand(async () => killed(await openSession(state)), createOutput('json'), {
  ...{ yes: false, anew: false, priority: 'MEDIUM', names: readKnownNames(state), decide },
  zone: zoneOf(state),
  ...{ planner: undefined, models: [] },
  lines: pipedLines(process.stdin),
})
