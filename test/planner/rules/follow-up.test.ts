// Words that go on with a conversation -> a request of its own. What they refer to is there once, or the person
// is asked; what stands by itself is read as ever; nothing but a time is ever changed.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { catalogue } from '../../../agents/catalogue.ts'
import { listRecipes } from '../../../planner/recipes.ts'
import type { Planned } from '../../../planner/rules/contract.ts'
import type { EarlierTurn, Understood } from '../../../planner/rules/conversation.ts'
import { planFromConversation } from '../../../planner/rules/follow-up.ts'
import { readConversations } from '../../evals/request.ts'

const recipes = listRecipes()
/** A Tuesday. */
const tuesday = '2026-11-24T09:30'
const changes = ({ agent, action }: { readonly agent: string; readonly action: string }) =>
  catalogue.get(agent)?.actions[action]?.effect !== 'read'
const isRun = ({ kind }: Planned) => kind === 'recipe' || kind === 'plan'

function say(text: string, earlier: readonly EarlierTurn[], now = tuesday): Understood {
  return planFromConversation(text, { recipes, now, earlier, changes })
}

interface Told {
  readonly now?: string
  /** What the person said no to. */
  readonly denied?: readonly string[]
}

function told(before: readonly string[], { now = tuesday, denied = [] }: Told = {}) {
  const earlier: EarlierTurn[] = []
  for (const words of before) {
    const { text, planned } = say(words, earlier, now)
    const agreed = isRun(planned) && !denied.includes(words)
    earlier.push({ text, planned, now, agreed })
  }
  return earlier
}

const following = (before: readonly string[], text: string) => say(text, told(before))
const recipe = (name: string, inputs: object = {}) => ({ kind: 'recipe', name, inputs })
const sayings = ({ planned }: Understood) =>
  planned.kind === 'question'
    ? planned.options.map((one) => (one.is === 'run' ? one.recipe : one.text))
    : planned.kind

describe('another time', () => {
  it('is written out as a request of its own, which can be gone on with', () => {
    const second = following(['what does tomorrow look like'], 'and the day after?')
    expect(second.text).toBe('what does 2026-11-26 look like')
    expect(second.planned).toEqual(recipe('one-day', { day: '2026-11-26' }))
    const third = following(
      ['what does tomorrow look like', 'and the day after?'],
      'and after that?',
    )
    expect(isRun(third.planned)).toBe(false)
    const fourth = following(
      ['what does tomorrow look like', 'and the day after?'],
      'and the day after that?',
    )
    expect(fourth.planned).toEqual(recipe('one-day', { day: '2026-11-27' }))
  })

  it.each([
    [['what does tomorrow look like'], 'and the day after tomorrow?', { day: '2026-11-26' }],
    [["what's on friday"], 'and the day before', { day: '2026-11-26' }],
    [["what's on friday"], 'Saturday', { day: '2026-11-28' }],
    [['what did i have on friday'], 'and on thursday?', { day: '2026-11-19' }],
    [["what's on today"], 'hm', undefined],
    [["what's on 2026-12-31"], 'and the next day please', { day: '2027-01-01' }],
    [["what's on tomorrow", 'pay the rent'], 'and on friday?', { day: '2026-11-27' }],
  ])('%j, %s', (before, words, inputs) => {
    const { planned } = following(before, words)
    if (inputs === undefined) expect(isRun(planned)).toBe(false)
    else expect(planned).toEqual(recipe('one-day', inputs))
  })

  it('is in the past where the request was about the past, and a day to come is asked about', () => {
    const before = ['how much did I walk on friday']
    expect(following(before, 'and on saturday?').planned).toEqual(
      recipe('sleep-and-activity', { day: '2026-11-21' }),
    )
    expect(following(before, 'and tomorrow?').planned.kind).toBe('question')
  })

  it('is a week where that was asked for', () => {
    const weeks = ['what does my week look like', 'and next week?']
    expect(say('and the week after?', told(weeks)).planned).toEqual(
      recipe('week-ahead', { day: '2026-12-07' }),
    )
    expect(isRun(following(["what's the weather like"], 'and next week?').planned)).toBe(false)
  })

  it('changes nothing that is no time, whatever it is called', () => {
    for (const before of [
      'note that friday is my day off',
      'note down that friday',
      'search my notes for friday',
      'read me my friday note',
    ]) {
      expect(isRun(following([before], 'and tomorrow?').planned), before).toBe(false)
    }
  })

  it('is asked about where it decides what is written, unless it is to be done again', () => {
    const before = ['remind me to call Anna tomorrow at 18:00']
    const asked = following(before, 'and on friday at 18:00?')
    expect(sayings(asked)).toEqual(['remind me to call Anna friday at 18:00'])
    expect(following(before, 'do it again on friday at 18:00').planned).toEqual(
      recipe('remind-me', { what: 'call Anna', when: '2026-11-27T18:00' }),
    )
    const event = ['put lunch in my calendar tomorrow at 12:30']
    expect(following(event, 'and friday at 12:30').planned.kind).toBe('question')
  })

  it('of one of two halves is asked about', () => {
    const asked = following(
      ['what does tomorrow look like, and put it in my notes'],
      'and on friday?',
    )
    expect(sayings(asked)).toEqual([
      'what does friday look like',
      'what does friday look like and put it in my notes',
    ])
  })
})

describe('a day that was named yesterday', () => {
  const monday = told(['what does tomorrow look like'], { now: '2026-11-23T20:00' })

  it('is that day still', () => {
    expect(say('and the day after?', monday).planned).toEqual(
      recipe('one-day', { day: '2026-11-25' }),
    )
    expect(say('do it again', monday).planned).toEqual(recipe('one-day', { day: '2026-11-24' }))
    expect(say('put it in my notes', monday).text).toBe(
      'what does 2026-11-24 look like and put it in my notes',
    )
  })

  it('is not found again where it was part of what was searched', () => {
    const search = told(['when is lunch with Anna'], { now: '2026-11-23T20:00' })
    expect(say('do it again', search).planned).toMatchObject({ kind: 'refusal' })
  })
})

describe('it', () => {
  const lunch = 'put the lunch with Anna in my work calendar on friday at 12:30'
  const dentist = 'put dentist in my calendar on friday at 10:30'
  const moved = (at: string, to: string) =>
    recipe('move-event', { calendar: 'work', at, with: 'lunch with Anna', to })

  it.each([
    ['move it to monday', '2026-11-30T12:30'],
    ['move it to the 3rd of december', '2026-12-03T12:30'],
    ['Move that to tomorrow at 15:00, please', '2026-11-25T15:00'],
    ['reschedule it to 13:15', '2026-11-27T13:15'],
    ['and then move the meeting to saturday at 9am', '2026-11-28T09:00'],
  ])('is the one event that was named: %s', (words, to) => {
    expect(following([lunch], words).planned).toEqual(moved('2026-11-27T12:30', to))
  })

  it('is where it was moved to', () => {
    const twice = [lunch, 'move it to monday']
    expect(following(twice, 'move it to tuesday at 14:00').planned).toEqual(
      moved('2026-11-30T12:30', '2026-12-01T14:00'),
    )
  })

  it('is asked about where two were named, and chosen by its number', () => {
    const both = [lunch, dentist]
    const asked = following(both, 'move it to saturday')
    expect(sayings(asked)).toEqual([
      'move lunch with Anna in my work calendar from 2026-11-27 at 12:30 to 2026-11-28 at 12:30',
      'move dentist in my family calendar from 2026-11-27 at 10:30 to 2026-11-28 at 10:30',
    ])
    const chosen = following([...both, 'move it to saturday'], 'the second one')
    expect(chosen.planned).toMatchObject({ inputs: { calendar: 'family', with: 'dentist' } })
  })

  it('is not found by what all options have in common', () => {
    const asked = [lunch, dentist, 'move it to saturday']
    expect(following(asked, 'work').planned).toEqual(moved('2026-11-27T12:30', '2026-11-28T12:30'))
    expect(following(asked, 'calendar').planned.kind).toBe('question')
  })

  it('is no other event that its words might be read as', () => {
    const called = ['put meeting in my work calendar on friday at 12:30']
    expect(isRun(following(called, 'move it to monday').planned)).toBe(false)
  })

  it('is nothing that the person said no to', () => {
    const denied = told([lunch, dentist], { denied: [dentist] })
    expect(say('move it to monday', denied).planned).toEqual(
      moved('2026-11-27T12:30', '2026-11-30T12:30'),
    )
    expect(say('move it to monday', told([lunch], { denied: [lunch] })).planned).toMatchObject({
      reason: 'NOT_UNDERSTOOD',
      text: expect.stringContaining('names an event'),
    })
  })

  it.each(['cancel it', 'move it', 'move it to', 'move it to the moon', 'move lunch to it', 'it'])(
    'is not moved by half: %s',
    (words) => {
      expect(isRun(following([lunch], words).planned)).toBe(false)
    },
  )

  it('is asked about where a name of a day may be counted from now or from its own day', () => {
    const far = ['put lunch in my work calendar on 2026-12-09 at 12:30']
    const asked = following(far, 'move it to friday')
    expect(asked.planned.kind).toBe('question')
    expect(sayings(asked)).toEqual([
      expect.stringContaining('to 2026-11-27 at 12:30'),
      expect.stringContaining('to 2026-12-11 at 12:30'),
    ])
  })
})

describe('an answer to a question', () => {
  const five = ['remind me to call Anna on friday at 5']
  const at = (time: string) =>
    recipe('remind-me', { what: 'call Anna', when: `2026-11-27T${time}` })

  it.each([
    ['1', '05:00'],
    ['2.', '17:00'],
    ['the second', '17:00'],
    ['the last one', '17:00'],
    ['number 1', '05:00'],
    ['17:00', '17:00'],
    ['at 17:00, please', '17:00'],
    ['in the morning', '05:00'],
    ['pm', '17:00'],
    ['remind me to call Anna on friday at 17:00', '17:00'],
  ])('%s', (words, time) => {
    expect(following(five, words).planned).toEqual(at(time))
  })

  it.each(['3', '0', 'yes', 'friday', 'anna', 'the third', 'both', '2 and 1', 'remind'])(
    'is not guessed, and the question stands: %s',
    (words) => {
      const { planned, text } = following(five, words)
      expect(planned).toMatchObject({ kind: 'question', text: expect.stringContaining('morning') })
      const again = say('2', [...told(five), { text, planned, now: tuesday, agreed: false }])
      expect(again.planned).toEqual(at('17:00'))
    },
  )

  it.each(['what is on 2026-02-30', 'put lunch in my calendar on friday'])(
    'is another request, of which something is missing: %s',
    (words) => {
      const { planned, text } = following(five, words)
      expect({ planned, text }).toEqual({ planned: say(words, []).planned, text: words })
      expect(planned).toMatchObject({ kind: 'question', options: [] })
    },
  )

  it('may be what was missing', () => {
    const event = ['put lunch in my calendar on friday']
    expect(following(event, 'at 12:30').planned).toEqual(
      recipe('add-event', { what: 'lunch', at: '2026-11-27T12:30' }),
    )
  })

  it('is not what was said before as well', () => {
    const asked = ['remind me to say please']
    expect(following(asked, '1').planned.kind).toBe('recipe')
    expect(following(asked, 'please').planned.kind).toBe('question')
  })

  it('is a word of the only option no more than of any other request', () => {
    const one = ['remind me to call Anna tomorrow', 'and on friday?']
    expect(isRun(following(one, 'anna').planned)).toBe(false)
  })

  it('is a yes where there was one thing to say yes to', () => {
    const one = ['remind me to call Anna tomorrow', 'and on friday?']
    expect(following(one, 'yes').planned).toEqual(
      recipe('remind-me', { what: 'call Anna', when: '2026-11-27' }),
    )
  })

  it('is none where it is a request of its own', () => {
    expect(following(five, 'check my backups').planned).toEqual(recipe('nightly-backup-check'))
    expect(following(five, 'pay the rent').planned).toMatchObject({ reason: 'MOVES_MONEY' })
  })
})

describe('what refers to nothing', () => {
  it.each([
    'and the day after?',
    'and tomorrow?',
    'put it in my notes',
    'do it again',
    'move it to friday',
  ])('is refused, and says what is missing: %s', (words) => {
    const { planned } = say(words, [])
    expect(planned).toMatchObject({ kind: 'refusal', reason: 'NOT_UNDERSTOOD' })
    expect(planned.kind === 'refusal' ? planned.text : '').not.toMatch(/no phrase of any recipe/)
  })

  it('is, besides, read as ever', () => {
    expect(say('good morning', []).planned).toEqual(recipe('morning-briefing'))
    expect(say('and the weather?', []).planned).toEqual(recipe('weather-forecast'))
  })
})

it('whatever has a word that is not understood runs nothing', () => {
  const all = readConversations()
    .filter((one) => 'plan' in one && one.say.split(' ').length > 1)
    .map((one) => ({ earlier: told(one.after ?? []), say: one.say }))
  const strange = fc.constantFrom('not', 'xyzzy', 'never')
  fc.assert(
    fc.property(fc.constantFrom(...all), fc.nat(), strange, (one, at, word) => {
      const words = one.say.split(' ')
      words.splice(at % (words.length + 1), 0, word)
      const { planned } = say(words.join(' '), one.earlier)
      // As a word of its own: `not` is in every note.
      const itself = new RegExp(`\\b${word}\\b`)
      if (isRun(planned)) expect(JSON.stringify(planned), words.join(' ')).toMatch(itself)
    }),
    { numRuns: 100 },
  )
})
