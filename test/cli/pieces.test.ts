// The pure parts of the command.

import { describe, expect, it } from 'vitest'
import { drawRequestId } from '../../cli/commands/run.ts'
import { recordedState } from '../../cli/commands/runs.ts'
import { CommandError, exitCodeOfRun } from '../../cli/exit-codes.ts'
import { inert, inertJson, table } from '../../cli/output.ts'
import { readInputs } from '../../cli/request-inputs.ts'
import { changedSteps } from '../../cli/run-view.ts'
import { suggest } from '../../cli/suggest.ts'
import { requestIdPattern } from '../../plan/schema.ts'

const hostile = 'a\u001b[2J\u0007b\rc\u009b31md\u202Ee\u2066f\u007fg\u200fh'

describe('text from outside', () => {
  it('loses what drives a terminal, and keeps lines and letters', () => {
    expect(inert(hostile)).toBe('a[2Jbc31mdefgh')
    expect(inert('Straße\n\tzwei 🎉')).toBe('Straße\n\tzwei 🎉')
  })

  it('stays the same in JSON, spelled so that a terminal does not obey it', () => {
    const text = inertJson({ hostile })
    expect(JSON.parse(text)).toEqual({ hostile })
    expect(text).toMatch(/^[\u0020-\u007e]*$/)
  })
})

describe('the exit code of a run', () => {
  it.each([
    ['completed', ['settled', 'already-settled', 'skipped'], 0],
    ['completed', ['failed', 'settled'], 0],
    ['failed', ['settled', 'failed'], 1],
    ['cancelled', ['settled', 'pending'], 1],
    ['denied', ['denied'], 3],
    ['waiting-approval', ['pending'], 4],
    ['failed', ['unknown', 'denied'], 5],
    ['completed', ['unknown'], 5],
  ] as const)('of %s with %j is %i', (status, outcomes, code) => {
    expect(exitCodeOfRun(status, outcomes)).toBe(code)
  })
})

describe('a request id', () => {
  it('is readable, bounded, never twice, and accepted by the notary', () => {
    const now = new Date('2026-03-04T05:06:07.890Z')
    expect(drawRequestId('morning-briefing', now)).toMatch(
      /^morning-briefing-20260304-050607-[0-9a-f]{8}$/,
    )
    for (const name of ['Ünïcode näme', '../../etc/passwd', '---', 'x'.repeat(500), '']) {
      expect(drawRequestId(name, now)).toMatch(requestIdPattern)
    }
    expect(drawRequestId('a', now)).not.toBe(drawRequestId('a', now))
  })
})

describe('--input', () => {
  it('is name=value, the value with anything in it', () => {
    expect(readInputs(['day=2026-01-31', 'query=a=b c', 'empty='])).toEqual({
      day: '2026-01-31',
      query: 'a=b c',
      empty: '',
    })
  })

  it.each([['day'], ['=x'], ['Day=x'], ['__proto__=x'], ['a b=x']])('refuses %s', (pair) => {
    expect(() => readInputs([pair])).toThrow(CommandError)
  })
})

describe('did you mean', () => {
  it('names what is near, and nothing that is far', () => {
    expect(suggest('calender', ['calendar', 'notes'])).toBe(' (did you mean calendar?)')
    expect(suggest('weather', ['calendar', 'notes'])).toBe('')
    expect(suggest('x', [])).toBe('')
  })
})

describe('a run as the audit recorded it', () => {
  const request = (outcomes: readonly string[], cancelled = false) => ({
    requestId: 'r',
    kind: 'plan' as const,
    name: 'p',
    user: 'user:owner',
    createdAt: 0,
    cancelled,
    steps: outcomes.map((outcome, index) => ({
      id: `s${index}`,
      agent: 'notes',
      action: 'append',
      effect: 'write',
      outcome,
      attempts: 1,
    })),
  })

  it.each([
    [['settled', 'skipped'], false, 'completed'],
    [['settled', 'pending'], false, 'running'],
    [['settled', 'failed', 'pending'], false, 'failed'],
    [['unknown'], false, 'failed'],
    [['denied', 'pending'], false, 'denied'],
    [['settled'], true, 'cancelled'],
  ])('with %j (cancelled: %j) is %s', (outcomes, cancelled, status) => {
    expect(recordedState(request(outcomes, cancelled)).status).toBe(status)
  })
})

describe('the live list of steps', () => {
  const step = { id: 'a', type: 'notes.append', effect: 'write', attempts: 1, durationMs: 5 }

  it('tells each change once, and nothing of what has not begun', () => {
    const pending = { status: 'running', steps: [{ ...step, outcome: 'pending' }] } as const
    const settled = { status: 'running', steps: [{ ...step, outcome: 'settled' }] } as const
    expect(changedSteps(undefined, pending)).toEqual([])
    expect(changedSteps(pending, settled)).toEqual(['+ a  notes.append  settled  5 ms'])
    expect(changedSteps(settled, settled)).toEqual([])
  })
})

describe('a table', () => {
  it('pads to the widest cell and leaves no blanks at the end', () => {
    expect(
      table([
        ['a', 'bbb', ''],
        ['aaaa', 'b', 'c'],
      ]),
    ).toEqual(['a     bbb', 'aaaa  b    c'])
  })
})
