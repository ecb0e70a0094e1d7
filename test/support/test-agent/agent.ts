// Handlers of the test agent. Every one that acts appends a line, so that a second effect shows.

import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { type ActionContext, ActionFailure, defineAgent } from '../../../agents/define-agent.ts'
import { countsAt, countsFile, manifest, testSecrets } from './manifest.ts'

const fileOf = (context: ActionContext) => join(context.folder(countsAt), countsFile)

const linesOf = (context: ActionContext): readonly string[] => {
  const file = fileOf(context)
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
}

const act = (context: ActionContext): { count: number } => {
  appendFileSync(fileOf(context), `${context.idem}\n`)
  return { count: linesOf(context).length }
}

const declared = { ...manifest, secrets: testSecrets }

export const agent = defineAgent(declared, {
  split: async ({ text }) => ({ words: text.split(' ') }),
  echo: async ({ text, times }) => ({ text: text.repeat(times) }),
  count: async (_args, context) => act(context),
  uncount: async ({ entry }, context) => {
    const kept = linesOf(context).filter((line) => line !== entry)
    writeFileSync(fileOf(context), kept.map((line) => `${line}\n`).join(''))
    return { count: kept.length }
  },
  put: async (_args, context) => {
    const lines = linesOf(context)
    return lines.includes(context.idem) ? { count: lines.length } : act(context)
  },
  fail: async ({ code, retry }, context) => {
    if (retry !== 'absent') act(context)
    throw new ActionFailure(code, retry)
  },
  breakRead: async () => {
    throw new TypeError('a bug that quotes a secret title')
  },
  breakWrite: async (_args, context) => {
    act(context)
    throw new TypeError('a bug that quotes a secret title')
  },
  slow: async ({ ms, heedsAbort }, context) => {
    const options = heedsAbort && context.signal !== undefined ? { signal: context.signal } : {}
    await delay(ms, undefined, options)
    return act(context)
  },
  ring: async ({ ms, ends }, context) => {
    if (ends === 'linger') {
      const done = act(context)
      await delay(ms)
      return done
    }
    for (let tenth = 0; tenth < 10; tenth += 1) {
      context.progress?.(tenth, 10)
      await delay(ms / 10)
      if (context.signal?.aborted === true) throw new ActionFailure('CANCELLED', 'absent')
    }
    if (ends === 'throw-before') throw new TypeError('before it acted')
    const done = act(context)
    if (ends === 'throw') throw new TypeError('after it acted')
    return done
  },
  toll: async ({ ms }, context) => {
    await delay(ms)
    return act(context)
  },
  rung: async ({ entry }, context) => ({
    happened: linesOf(context).includes(entry) ? ('yes' as const) : ('no' as const),
  }),
  slowRead: async ({ ms }) => {
    await delay(ms)
    return { count: 0 }
  },
  huge: async ({ bytes }) => ({ text: 'x'.repeat(bytes) }),
  misfit: async ({ how }, context) => {
    const { count } = act(context)
    // The lone surrogate is a string to the schema and no text to RFC 8785.
    return how === 'json' ? { text: '\ud800' } : ({ text: count } as unknown as { text: string })
  },
  fetch: async ({ egress, origin, method, path, bound, key = bound, maxBytes }, context) => {
    const { status, body } = await context.fetch({
      ...{ egress, method, path, maxBytes },
      ...(origin === undefined ? {} : { origin }),
      ...(key === undefined ? {} : { query: { key } }),
    })
    return { status, body }
  },
  proveSecret: async ({ name }, context) => ({
    sha256: createHash('sha256').update(context.secret(name)).digest('hex'),
  }),
  tunnel: async ({ egress, host, port, ca, say }, context) => {
    const socket = connectTls({ socket: await context.connect({ egress, host, port }), host, ca })
    socket.write(say)
    const heard = await new Promise<string>((resolve, reject) => {
      socket.once('data', (chunk: Buffer) => resolve(chunk.toString()))
      socket.once('error', reject)
      socket.once('close', () => reject(new ActionFailure('UNAVAILABLE', 'final', 'cut')))
    })
    socket.destroy()
    return { heard }
  },
  erase: async (_args, context) => act(context),
  post: async (_args, context) => act(context),
})
