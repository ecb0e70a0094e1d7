// What a model may be told of words: exactly what the notary makes of them, and in the second round codes
// and places of its own plan; and what a person is shown of the plan.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { proposedRule } from '../../notary/ask-proposed.ts'
import { offeredActions } from '../../plan/offered-actions.ts'
import { finding } from '../support/notary-handle-cases.ts'
import { onlyQuestion, openQuestions, show } from './approvals.ts'
import {
  answered,
  answerWith,
  askCall,
  consult,
  houseCatalogue,
  idOf,
  openHouse,
} from './consultations.ts'
import type { Harness } from './harness.ts'
import { items, list } from './plans.ts'
import { ask, book, proposalOf, propose, words } from './proposals.ts'

let house: Harness
beforeEach(async () => {
  house = await openHouse()
  await ask(house)
})
afterEach(() => house.close())

const argsOf = (requestId: string) => {
  const { steps } = JSON.parse(house.store.state.planText(requestId) ?? '')
  expect(steps).toHaveLength(1)
  return steps[0].args
}

describe('the plan of a consultation', () => {
  it('tells the model the words, the minute and what the manifests declare', async () => {
    expect(await consult(house, idOf(1))).toMatchObject({
      status: 'ADMITTED',
      digest: askCall(house, idOf(1)).planDigest,
    })
    expect(argsOf(idOf(1))).toEqual({
      ...{ provider: 'local', model: 'first-of-the-house', maxMicroUsd: 0, maxOutputTokens: 400 },
      words: [words],
      now: '2027-01-15T09:00:00+01:00',
      actions: offeredActions(houseCatalogue),
      ...{ handles: [], issues: [] },
    })
  })

  it('tells the second time of what the model itself proposed, in codes and places', async () => {
    const secret = 'what nobody may be told'
    const proposal = proposalOf(book(secret, { action: 'lost' }), book(secret, { agent: secret }))
    const result = await answered(house, answerWith(proposal))
    expect(await consult(house, idOf(2), { result })).toMatchObject({ status: 'ADMITTED' })
    const { issues } = argsOf(idOf(2))
    expect(issues).not.toEqual([])
    for (const issue of issues) expect(Object.keys(issue)).toEqual(['code', 'path'])
    expect(JSON.stringify(issues)).not.toContain(secret)
  })

  it('tells what was said before and what came of it by name, and nothing that is in it', async () => {
    const run = await house.run(finding, { requestId: 'r-0' })
    await run.perform('gather', list, items(['what nobody may be told', 'two']))
    const turns = [{ words: 'what is there today', handles: ['r-0/gather/0'] }]
    await ask(house, { requestId: 'r-2', context: { turns } })
    await consult(house, idOf(1, 0, 'r-2'))
    const args = argsOf(idOf(1, 0, 'r-2'))
    expect(args.words).toEqual(['what is there today', words])
    expect(args.handles).toEqual([
      {
        ...{ handle: 'r-0/gather/0', label: 'private, untrusted', said: 'what is there today' },
        type: expect.stringMatching(/^desk\.list: \{/),
      },
    ])
    expect(JSON.stringify(args)).not.toContain('what nobody may be told')
    expect(JSON.stringify(house.rows())).not.toContain('what is there today')
  })

  it('is on the record as the words it is for, and says none of them', async () => {
    await consult(house, idOf(1))
    const rows = house.rows().filter(({ correlation }) => correlation === idOf(1))
    const bodies = rows.map(({ body }) => JSON.stringify(body)).join()
    expect(bodies).toContain('r-1')
    expect(bodies).not.toContain('blue')
  })
})

describe('the plan that a model proposed', () => {
  it('is shown whole, with what the model made up', async () => {
    await propose(house, proposalOf(book('attic'), { ...book('blue'), id: 'again' }))
    const { card } = await show(house, await onlyQuestion(house))
    expect(JSON.parse(card)).toMatchObject({
      subject: { is: 'plan', request: 'r-1' },
      asks: [
        {
          step: 'book',
          rules: [proposedRule, 'FLOW_R9'],
          args: { room: 'attic', dryRun: false },
          decides: expect.arrayContaining([{ pointer: '/room', from: 'proposed' }]),
        },
        { step: 'again', rules: [proposedRule], args: { room: 'blue', dryRun: false } },
      ],
    })
  })

  it('is asked about once, whoever proposes it', async () => {
    const proposal = proposalOf(book('blue'))
    await propose(house, proposal)
    await propose(house, proposal)
    expect(await openQuestions(house)).toHaveLength(1)
  })
})
