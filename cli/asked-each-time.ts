// Which steps of a schedule a person is asked about at each firing, whatever they say when they enable it:
// those that an enabled plan asks about and whose card does not cover them. The card is the notary's own
// word for what an approval of the schedule is good for (docs/adr/0030, docs/adr/0044).

import type { ScheduleSummary } from '../notary/standing-contract.ts'
import type { CompileReport } from '../plan/schema.ts'
import { openQuestion } from './decide-approval.ts'
import type { Session } from './session.ts'

/** In the order of the report. @throws CommandError when the approval cannot be read */
export async function askedEachTime(
  session: Session,
  { approvals }: Pick<CompileReport, 'approvals'>,
  { approval }: Pick<ScheduleSummary, 'approval'>,
): Promise<readonly string[]> {
  if (approvals.length === 0 || approval === null) return approvals
  const { shown } = await openQuestion(session, approval.id)
  const covered = new Set(shown.flatMap(({ card }) => card.asks.map(({ step }) => step)))
  return approvals.filter((step) => !covered.has(step))
}

/** What to tell whoever enables it, before they do. */
export function askedEachTimeLines(
  steps: readonly string[],
  { questions }: Pick<CompileReport, 'questions'>,
): readonly string[] {
  return steps.flatMap((step) => {
    const why = questions.filter((question) => question.step === step)
    const first = `${step} is asked about at each firing, and its run waits for you`
    if (why.length === 0) return [`${first}: what it touches is known only then`]
    return why.flatMap(({ code, path, message, fix }) => [
      `${first} (${code} ${path}): ${message}`,
      ...(fix === undefined ? [] : [`  not asked if you ${fix}`]),
    ])
  })
}
