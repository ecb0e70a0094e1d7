// From a registered request to an admitted plan, over the days that a person may take to decide on it.
// One function of injected ports with no Temporal import. Keeps nothing at work while it waits: a
// decision or the time has the same question put to the notary again.

import { createAlarm } from './alarm.ts'
import type { CompileOutcome, OpenApproval } from './contract.ts'
import type { Answered } from './propose-contract.ts'
import type { Questions } from './questions.ts'
import type { RunPorts } from './run-plan.ts'

export interface AdmissionPorts
  extends Pick<RunPorts, 'until' | 'sleepUntil' | 'now' | 'isCancellation'> {
  /** Compiles the plan and asks the notary to admit it. */
  compile(): Promise<CompileOutcome | Answered>
  /** Told when a person is asked, and, with null, when it goes on. */
  onAsked(approval: OpenApproval | null): void
}

/** No step can have this id. */
const plan = ''

/** Rejects with the cancellation when the run is cancelled. */
export async function untilAdmitted(
  questions: Questions,
  ports: AdmissionPorts,
): Promise<Exclude<CompileOutcome | Answered, { status: 'WAITING' }>> {
  let rung = false
  let bug: { readonly cause: unknown } | undefined
  const alarm = createAlarm(ports, {
    ring() {
      rung = true
    },
    fail(cause) {
      bug = { cause }
    },
  })
  let asked = false
  for (;;) {
    const compiled = await ports.compile()
    if (compiled.status !== 'WAITING') {
      if (asked) ports.onAsked(null)
      return compiled
    }
    asked = true
    questions.wait(plan, [compiled.approval], ports.now())
    ports.onAsked(compiled.approval)
    while (questions.takeDue(ports.now()).length === 0) {
      rung = false
      alarm.set(questions.nextAt())
      await ports.until(() => rung || bug !== undefined || questions.isDecided())
      if (bug !== undefined) throw bug.cause
    }
  }
}
