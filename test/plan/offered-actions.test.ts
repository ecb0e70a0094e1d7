// What a model is offered of this build's agents, and that all of it fits one step with the longest words.

import { describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { compileConsultation, toFaults } from '../../plan/consultation.ts'
import { consultationId, parseConsultationId } from '../../plan/ids.ts'
import { limits } from '../../plan/limits.ts'
import { offeredActions } from '../../plan/offered-actions.ts'
import { decide } from '../support/policy.ts'

const offered = offeredActions(catalogue)

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
      const compiled = compileConsultation(
        { words: words.toWellFormed(), at: 0, zone: 'Asia/Kathmandu', model, faults },
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
