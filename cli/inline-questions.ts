// What a command that waits does when its run, or what it has just enabled, needs an approval: at a
// terminal it shows the card and asks, elsewhere it says which command to type and goes on waiting. Never
// takes silence for an answer: only what was typed decides.

import { createInterface } from 'node:readline/promises'
import type { Card } from '../plan/card.ts'
import type { RunState } from '../workflows/contract.ts'
import { questionLines } from './approval-words.ts'
import { decide, openQuestion, type Question } from './decide-approval.ts'
import { CommandError } from './exit-codes.ts'
import type { Output } from './output.ts'
import type { Session } from './session.ts'

/** Whoever sits at the terminal; undefined where nobody does. */
export type AskPerson = (question: string) => Promise<string | undefined>

export function personAt(output: Output): AskPerson | undefined {
  const { stdin, stderr } = process
  if (output.json || stdin.isTTY !== true || stderr.isTTY !== true) return undefined
  return async (question) => {
    const terminal = createInterface({ input: stdin, output: stderr })
    // The interface takes Ctrl-C for itself; it means what it means without a question.
    terminal.on('SIGINT', () => process.emit('SIGINT'))
    const gone = new Promise<undefined>((resolve) => {
      terminal.once('close', () => resolve(undefined))
    })
    try {
      return await Promise.race([terminal.question(question), gone])
    } finally {
      terminal.close()
    }
  }
}

/** `unasked`: what is asked could not be read now. */
export type Answer = 'approve' | 'deny' | 'later' | 'unasked'

export interface Asked {
  readonly answer: Answer
  /** Approvals that the question was about. */
  readonly approvals: readonly string[]
}

/** What the person said yes to before it was asked. */
export type Accepts = (card: Card) => boolean

/** Enter alone denies, as the capital letter says; anything else leaves the question open. */
export function toAnswer(typed: string | undefined): Exclude<Answer, 'unasked'> {
  switch (typed?.trim().toLowerCase()) {
    case 'y':
    case 'yes':
      return 'approve'
    case '':
    case 'n':
    case 'no':
      return 'deny'
    default:
      return 'later'
  }
}

/**
 * Asks about one approval, and all that is decided together with it, or tells how to decide. What a
 * command goes on with is not its concern.
 */
export async function askAbout(
  session: Session,
  output: Output,
  id: string,
  person: AskPerson | undefined = personAt(output),
  accepts?: Accepts,
): Promise<Asked> {
  try {
    const question = await openTogether(session, id)
    const answer = await answerTo(session, output, { question, person, accepts })
    return { answer, approvals: question.shown.map(({ approval }) => approval.id) }
  } catch (error) {
    // The run goes on waiting, and can be decided on by another command.
    if (!(error instanceof CommandError)) throw error
    output.problem(error.message, error.next)
    return { answer: 'unasked', approvals: [] }
  }
}

async function answerTo(
  session: Session,
  output: Output,
  asked: {
    readonly question: Question
    readonly person: AskPerson | undefined
    readonly accepts: Accepts | undefined
  },
): Promise<Answer> {
  const { question, person, accepts } = asked
  if (question.shown.every(({ approval }) => approval.state !== 'open')) return 'later'
  if (accepts !== undefined && question.shown.every(({ card }) => accepts(card))) {
    await decide(session, question, { decision: 'approve' })
    output.talk('approved, as you said beforehand')
    return 'approve'
  }
  if (person === undefined) return tell(output, question)
  for (const line of questionLines(question, false)) output.talk(line)
  const answer = toAnswer(await person('approve? [y/N, l: later] '))
  if (answer === 'later') return tell(output, question)
  await decide(session, question, { decision: answer })
  output.talk(answer === 'approve' ? 'approved' : 'denied')
  return answer
}

async function openTogether(session: Session, id: string): Promise<Question> {
  const question = await openQuestion(session, id)
  const [first] = question.shown
  const isOpen = first?.approval.state === 'open'
  const batch = first?.approval.batch ?? null
  return isOpen && batch !== null ? await openQuestion(session, batch) : question
}

function tell(output: Output, { id, shown }: Question): 'later' {
  for (const { approval } of shown) output.talk(`waiting for your approval: ${approval.title}`)
  output.talk(`  look: npx bulkhead approvals show ${id}`)
  output.talk(`  next: npx bulkhead approve ${id}   or   npx bulkhead deny ${id}`)
  return 'later'
}

/** Asks about each approval that a run waits for, once. */
export function createAsker(
  session: Session,
  output: Output,
  accepts?: Accepts,
): (state: RunState) => Promise<void> {
  const asked = new Set<string>()
  return async (state) => {
    for (const { id } of openApprovals(state)) {
      if (asked.has(id)) continue
      const person = personAt(output)
      const { approvals } = await askAbout(session, output, id, person, accepts)
      for (const one of approvals) asked.add(one)
    }
  }
}

/** Of the plan as a whole, of its steps, or of asking a model for it. */
export function openApprovals({
  approvals = [],
  consulted = [],
  steps,
}: Pick<RunState, 'approvals' | 'consulted'> & {
  readonly steps: readonly Pick<RunState['steps'][number], 'approvals'>[]
}): readonly { readonly id: string }[] {
  const asking = [...consulted, ...steps]
  return [...approvals, ...asking.flatMap((one) => one.approvals ?? [])]
}
