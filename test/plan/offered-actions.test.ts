// What a model is offered of this build's agents, and that all of it fits one step with the longest words.

import { describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { goalOf } from '../../plan/compile-proposal.ts'
import { compileConsultation, toFaults } from '../../plan/consultation.ts'
import { type PinnedHandle, toHandle } from '../../plan/handle.ts'
import { consultationId, parseConsultationId } from '../../plan/ids.ts'
import { limits } from '../../plan/limits.ts'
import { offeredActions, resultWords } from '../../plan/offered-actions.ts'
import type { ToldTurn } from '../../plan/told.ts'
import { decide } from '../support/policy.ts'

const offered = offeredActions(catalogue)

/** Of the action whose result takes the most words. */
const longest: PinnedHandle = [...catalogue]
  .flatMap(([agent, { actions }]) =>
    Object.entries(actions).map(([action, { output }]) => ({
      pin: {
        ...{ agent, action, rerun: 0, hash: 'A'.repeat(43) },
        ...{ readers: 'PUBLIC' as const, agents: [] },
      },
      length: `${agent}.${action}: ${resultWords({ output })}`.length,
    })),
  )
  .toSorted((one, other) => other.length - one.length)
  .map(({ pin }) => pin)[0] as PinnedHandle

describe('the actions that a model is offered', () => {
  it('are those that a person can ask for: none that undoes another, none that asks models', () => {
    const names = offered.map(({ action }) => action)
    expect(names).toContain('notes.append')
    expect(names).not.toContain('notes.retract')
    expect(names.filter((name) => name.startsWith('model.'))).toEqual([])
  })

  it('are the same in whatever order the catalogue has them', () => {
    expect(offeredActions(new Map([...catalogue].toReversed()))).toEqual(offered)
  })

  it('say in a few words what each takes and gives', () => {
    expect(offered.find(({ action }) => action === 'notes.append')).toMatchObject({
      args: [
        { name: 'note', type: expect.stringContaining('text') },
        { name: 'text', type: 'text' },
        { name: 'dryRun', type: 'optional, boolean = false' },
      ],
    })
  })

  it.each(['\u{1F600}', '\u0001', '\u8a9e'])(
    'fit one step with the longest words, of %j',
    (one) => {
      const words = `a${one.repeat(limits.wordsCharacters / one.length)}`.slice(0, -one.length)
      const model = {
        ...{ provider: 'local', model: 'qwen3:8b', maxMicroUsd: 0, maxOutputTokens: 4_000 },
      }
      const faults = toFaults(
        Array.from({ length: 50 }, () => ({ code: 'LIMIT', path: '/x'.repeat(200) })),
      )
      // As much of a conversation as there can be, of the results that take the most words.
      const turns = Array.from({ length: limits.contextTurns }, (_, turn): ToldTurn => {
        const said = goalOf(words, limits.contextCharacters)
        const each = limits.contextHandles / limits.contextTurns
        const names = Array.from({ length: each }, (__, at) =>
          toHandle({
            request: `${turn}${at}`.padEnd(120, 'x'),
            step: 'x'.repeat(40),
            iteration: 0,
          }),
        )
        const handles = Object.fromEntries(names.map((name) => [name, longest]))
        return { words: said, readers: ['user:owner'], handles }
      })
      const compiled = compileConsultation(
        { words: words.toWellFormed(), at: 0, zone: 'Asia/Kathmandu', model, faults, told: turns },
        { catalogue, decide },
      )
      expect(compiled.ok ? [] : compiled.issues).toEqual([])
    },
  )
})

describe('the id of a consultation', () => {
  it('says which it is, and no other id does', () => {
    const consultation = { of: 'ask-1', round: 2, model: 11 } as const
    expect(consultationId(consultation)).toBe('ask-1:propose-2-11')
    expect(parseConsultationId('ask-1:propose-2-11')).toEqual(consultation)
    for (const id of ['ask-1', 'a:propose-3-0', 'a:propose-1-01', ':propose-1-0', 'a:propose-1-']) {
      expect(parseConsultationId(id)).toBeUndefined()
    }
  })
})
