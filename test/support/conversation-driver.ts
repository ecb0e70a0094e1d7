// One turn of a conversation as an entry point drives it, in a process of its own that can be killed: it
// asks the assistant how far the turn has come and does what comes next, again and again until its run is
// over. Whoever is away meanwhile is asked again. Each time that it would ask the person it writes so.
// Arguments: state folder, gate folder, turn, text of the note.

import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { forgetYes, hasSaidYes, rememberYes } from '../../cli/said-yes.ts'
import type { Session } from '../../cli/session.ts'
import { readTurn, storeTurn } from '../../cli/turn-documents.ts'
import type { TurnReply } from '../../temporal/assistant-client.ts'
import type { Turn } from '../../workflows/assistant-contract.ts'
import { Connection } from './connection.ts'
import { stopAt } from './crash-gate.ts'

const [state = '', gate = '', turnId = '', text = ''] = process.argv.slice(2)
const connection = new Connection(state)
const point = (name: string) => stopAt(gate, name)

/** With time for everything to be started anew: a minute of pauses, besides what the calls take. */
const tries = 240
const pauseMs = 250

/** @throws what was thrown last, when all tries have thrown */
async function patiently<T>(call: (session: Session) => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await connection.use(call, 30_000)
    } catch (error) {
      if (tried === tries) throw error
      await delay(pauseMs)
    }
  }
}

function taken(reply: TurnReply): void {
  if (reply.status === 'REFUSED') throw new Error(`refused: ${reply.code}`)
}

const source = `
version: 1
goal: Keep what was said
steps:
  - { id: keep, agent: notes, action: append, args: { note: said, text: "${text}" } }
answer: { from: [keep] }
`
const planDocument = {
  is: 'plan',
  request: { kind: 'plan', name: 'said', source, inputs: {}, priority: 'MEDIUM' },
} as const

async function readPlan(session: Session, { answerRef = '' }: Turn) {
  const document = await readTurn(session, turnId, answerRef)
  if (document.is !== 'plan') throw new Error('no plan was shown')
  return document
}

async function say(): Promise<void> {
  await patiently(async (session) => {
    const said = { is: 'said', words: text, at: '2026-03-01T09:30', zone: 'UTC' } as const
    taken(await session.assistant.say({ turnId, saidRef: await storeTurn(session, turnId, said) }))
  })
  await point('after-say')
}

async function show(): Promise<void> {
  await patiently(async (session) => {
    const answerRef = await storeTurn(session, turnId, planDocument)
    taken(await session.assistant.answer({ turnId, status: 'planned', answerRef }))
  })
  await point('after-answer')
}

async function agree(turn: Turn): Promise<void> {
  const plan = await patiently((session) => readPlan(session, turn))
  if (!hasSaidYes(state, turnId, plan)) {
    appendFileSync(join(gate, 'asked'), `${turnId}\n`)
    rememberYes(state, turnId, plan)
    await point('after-yes')
  }
  await patiently(async (session) => taken(await session.assistant.accept({ turnId })))
  await point('after-accept')
}

async function begin(turn: Turn): Promise<void> {
  const plan = await patiently((session) => readPlan(session, turn))
  if (!hasSaidYes(state, turnId, plan)) throw new Error('it would have to be asked again')
  const { priority, ...document } = plan.request
  const requestRef = await patiently(async (session) => {
    const stored = await session.putRequest(turnId, JSON.stringify(document))
    if (stored.status !== 'STORED') throw new Error(stored.code)
    const registered = await session.request({ requestId: turnId, ...plan.request })
    if (registered.status !== 'REGISTERED') throw new Error(registered.code)
    return stored.ref
  })
  await point('after-request')
  await patiently(async (session) => {
    const request = { requestId: turnId, requestRef }
    taken(await session.assistant.begin({ request, priority }))
  })
  await point('after-begin')
}

async function follow(): Promise<void> {
  forgetYes(state, turnId)
  const { status, code } = await patiently((session) => session.runs.result(turnId))
  if (status !== 'completed') throw new Error(`the run came to ${status} ${code ?? ''}`)
}

for (let over = false; !over; ) {
  const { turns } = await patiently((session) => session.assistant.conversation())
  const turn = turns.find((one) => one.turnId === turnId)
  if (turn === undefined) await say()
  else if (turn.status === 'said') await show()
  else if (turn.status === 'planned') await agree(turn)
  else if (turn.status === 'accepted') await begin(turn)
  else if (turn.status === 'begun') {
    await follow()
    over = true
  } else throw new Error(`the turn is ${turn.status}`)
}
process.exit(0)
