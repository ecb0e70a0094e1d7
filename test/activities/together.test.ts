// Several calls in one message: which go together, what the limits are, and whose failure is whose.

import { expect, it } from 'vitest'
import { sendTogether } from '../../activities/together.ts'

const roomy = { calls: 16, length: 1_000 }

/** Keeps every message and answers it when it is told to. */
function listener() {
  const messages: (readonly string[])[] = []
  const answers: ((fail?: Error) => void)[] = []
  const send = (calls: readonly string[]) =>
    new Promise<readonly string[]>((resolve, reject) => {
      messages.push(calls)
      answers.push((fail) => {
        if (fail === undefined) resolve(calls.map((call) => `${call}!`))
        else reject(fail)
      })
    })
  return { messages, answers, send }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

it('sends what is asked in one turn as one message, and answers in the order of the calls', async () => {
  const { messages, answers, send } = listener()
  const ask = sendTogether(send, roomy)
  const asked = Promise.all([ask('a'), ask('b'), ask('c')])
  await turn()
  answers[0]?.()
  expect(await asked).toEqual(['a!', 'b!', 'c!'])
  expect(messages).toEqual([['a', 'b', 'c']])
})

it('lets those wait who ask while a message is out, and sends them together', async () => {
  const { messages, answers, send } = listener()
  const ask = sendTogether(send, roomy)
  const first = ask('a')
  await turn()
  const later = [ask('b')]
  await turn()
  later.push(ask('c'))
  await turn()
  expect(messages).toEqual([['a']])
  answers[0]?.()
  expect(await first).toBe('a!')
  await turn()
  expect(messages).toEqual([['a'], ['b', 'c']])
  answers[1]?.()
  expect(await Promise.all(later)).toEqual(['b!', 'c!'])
  // Nothing is out any more: who asks now does not wait.
  const last = ask('d')
  await turn()
  answers[2]?.()
  expect(await last).toBe('d!')
})

it.each<[string, { calls: number; length: number }, readonly (readonly string[])[]]>([
  ['of calls', { calls: 2, length: 1_000 }, [['aa', 'bb'], ['cc', 'dd'], ['ee']]],
  // With their quotation marks four characters each.
  ['of length', { calls: 16, length: 9 }, [['aa', 'bb'], ['cc', 'dd'], ['ee']]],
  ['below one call', { calls: 16, length: 1 }, [['aa'], ['bb'], ['cc'], ['dd'], ['ee']]],
])('keeps to the limit %s', async (_, limits, wanted) => {
  const messages: (readonly string[])[] = []
  const ask = sendTogether(async (calls: readonly string[]) => {
    messages.push(calls)
    return calls
  }, limits)
  expect(await Promise.all(['aa', 'bb', 'cc', 'dd', 'ee'].map(ask))).toEqual([
    'aa',
    'bb',
    'cc',
    'dd',
    'ee',
  ])
  expect(messages).toEqual(wanted)
})

it('fails the calls of a message that failed, and no others', async () => {
  const { answers, send } = listener()
  const ask = sendTogether(send, { ...roomy, calls: 2 })
  const asked = Promise.allSettled([ask('a'), ask('b'), ask('c')])
  await turn()
  answers[0]?.(new Error('lost'))
  await turn()
  answers[1]?.()
  const lost = { status: 'rejected', reason: new Error('lost') }
  expect(await asked).toEqual([lost, lost, { status: 'fulfilled', value: 'c!' }])
})

it('takes a missing answer for a failure of its call', async () => {
  const ask = sendTogether(async () => ['only one'], roomy)
  const [first, second] = await Promise.allSettled([ask('a'), ask('b')])
  expect(first).toEqual({ status: 'fulfilled', value: 'only one' })
  expect(second).toMatchObject({ status: 'rejected', reason: { message: /not answered/ } })
})
