// Calls of many steps in few messages. What is asked while a message is out waits for its answer and
// goes with the next one, so that the busier who answers is, the fewer messages come. What becomes of
// a message becomes of every call in it; another message is not its business.

/** Sends some calls and brings as many answers, in their order. */
export type SendMany<Call, Answer> = (calls: readonly Call[]) => Promise<readonly Answer[]>

export interface TogetherLimits {
  /** Calls of one message. */
  readonly calls: number
  /** Characters of their JSON; a call that is longer goes alone. */
  readonly length: number
}

interface Waiting<Call, Answer> {
  readonly call: Call
  readonly length: number
  resolve(answer: Answer | PromiseLike<Answer>): void
  reject(error: unknown): void
}

/** @returns makes one call; throws what `send` throws, and Error when an answer is missing */
export function sendTogether<Call, Answer>(
  send: SendMany<Call, Answer>,
  limits: TogetherLimits,
): (call: Call) => Promise<Answer> {
  let queue: Waiting<Call, Answer>[] = []
  let isOut = false

  function take(): readonly Waiting<Call, Answer>[] {
    let length = 0
    const end = queue.findIndex((one, index) => {
      length += one.length
      return index > 0 && (index >= limits.calls || length > limits.length)
    })
    const taken = end === -1 ? queue : queue.slice(0, end)
    queue = queue.slice(taken.length)
    return taken
  }

  async function sendOne(taken: readonly Waiting<Call, Answer>[]): Promise<void> {
    try {
      const answers = await send(taken.map(({ call }) => call))
      for (const [index, { resolve }] of taken.entries()) {
        const answer = answers[index]
        resolve(answer ?? Promise.reject(new Error('a call of several was not answered')))
      }
    } catch (error) {
      for (const { reject } of taken) reject(error)
    }
  }

  async function sendAll(): Promise<void> {
    while (queue.length > 0) await sendOne(take())
    isOut = false
  }

  return (call) =>
    new Promise((resolve, reject) => {
      queue.push({ call, length: JSON.stringify(call).length, resolve, reject })
      if (isOut) return
      isOut = true
      // The end of this turn: who asks in it asks in one message.
      setImmediate(() => void sendAll())
    })
}
