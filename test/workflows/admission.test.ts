// A plan that a person decides on before anything of it runs, and the update that wakes whoever waits for
// a decision, with fakes.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { ApplicationFailure } from '@temporalio/workflow'
import { describe, expect, it } from 'vitest'
import { untilAdmitted } from '../../workflows/admission.ts'
import type { CompileOutcome, OpenApproval } from '../../workflows/contract.ts'
import { refuseApprove } from '../../workflows/decisions.ts'
import { createQuestions, firstPauseMs } from '../../workflows/questions.ts'
import { createFakeRun, type FakeRun } from './fake-ports.ts'

const week = 7 * 24 * 3_600_000

describe('a plan that a person decides on', () => {
  const approval = { id: 'apr-plan', expiresAt: week }
  const admitted: CompileOutcome = {
    status: 'ADMITTED',
    skeleton: { planRef: 'plan', digest: 'digest', steps: [] },
  }
  function admission(answers: readonly CompileOutcome[], act: (fake: FakeRun) => void) {
    const fake = createFakeRun(async () => ({}))
    const left = [...answers]
    const asked: (OpenApproval | null)[] = []
    const { questions } = fake.controls
    const outcome = untilAdmitted(questions, {
      ...fake.ports,
      async compile() {
        const answer = left.shift()
        if (answer === undefined) throw new Error('asked more often than expected')
        return answer
      },
      onAsked(now) {
        asked.push(now)
        if (now !== null) act(fake)
      },
    })
    return { outcome, asked, fake }
  }
  const waiting: CompileOutcome = { status: 'WAITING', approval }

  it('is admitted at once where nothing is asked', async () => {
    const { outcome, asked } = admission([admitted], () => undefined)
    expect(await outcome).toEqual(admitted)
    expect(asked).toEqual([])
  })

  it('waits for the decision, and says so', async () => {
    const { outcome, asked } = admission([waiting, admitted], (fake) =>
      fake.controls.questions.decide(['apr-plan']),
    )
    expect(await outcome).toEqual(admitted)
    expect(asked).toEqual([approval, null])
  })

  it('is asked for again by itself, and can be denied', async () => {
    const denied: CompileOutcome = { status: 'DENIED', code: 'APPROVAL_EXPIRED' }
    const { outcome, fake } = admission([waiting, waiting, denied], ({ clock }) => {
      void nextTurn().then(() => {
        clock.now += 2 * firstPauseMs
      })
    })
    expect(await outcome).toEqual(denied)
    expect(fake.sleepers).toHaveLength(2)
  })

  it('is given up when the run is cancelled', async () => {
    const { outcome } = admission([waiting], (fake) => fake.cancel())
    await expect(outcome).rejects.toThrow()
  })
})

describe('the update by which a run is woken', () => {
  const codeOf = (given: unknown): unknown => {
    try {
      refuseApprove(given as Parameters<typeof refuseApprove>[0])
      return 'taken'
    } catch (error) {
      return error instanceof ApplicationFailure ? error.type : error
    }
  }

  it.each([
    ['taken', { approvals: ['apr1'] }],
    ['taken', { approvals: [] }],
    ['MALFORMED', {}],
    ['MALFORMED', { approvals: 'apr1' }],
    ['MALFORMED', { approvals: [1] }],
    ['MALFORMED', { approvals: ['x'.repeat(41)] }],
    ['MALFORMED', { approvals: Array.from({ length: 501 }, () => 'apr1') }],
    ['MALFORMED', null],
    ['MALFORMED', undefined],
  ])('is %s', (code, given) => {
    expect(codeOf(given)).toBe(code)
  })

  it('may name what this run does not wait for', () => {
    const questions = createQuestions()
    questions.decide(['nobody-asked'])
    expect(questions.isDecided()).toBe(false)
  })
})
