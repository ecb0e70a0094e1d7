// A chat with an assistant in memory: what it keeps of its own in a folder, what it says, and what is said to it.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import type { ChatOptions } from '../../cli/chat/settle.ts'
import { chatCommand } from '../../cli/commands/chat.ts'
import type { Output } from '../../cli/output.ts'
import { rememberYes } from '../../cli/said-yes.ts'
import type { Decide } from '../../plan/policy.ts'
import { nobody } from '../../plan/principals.ts'
import { type FakeChat, fakeChat, Watched } from './fake-chat.ts'
import { decide as allows } from './policy.ts'

interface Options {
  readonly anew?: boolean
  readonly isTerminal?: boolean
  readonly decide?: Decide
  readonly models?: readonly string[]
  readonly yes?: boolean
  readonly json?: boolean
  readonly planner?: ChatOptions['planner']
}

interface Own {
  state: string
  fake: FakeChat
  said: string[]
  /** Of `--json`. */
  lined: unknown[]
}

function fresh(): Own {
  const state = mkdtempSync(join(tmpdir(), 'bulkhead-chat-'))
  return { state, fake: fakeChat(state), said: [], lined: [] }
}

/** Anew for each test. */
export function chatForTests() {
  const own = {} as Own
  beforeEach(() => void Object.assign(own, fresh()))
  afterEach(() => rmSync(own.state, { recursive: true, force: true }))
  return {
    own,
    output: outputOf(own),
    chat: (typed: readonly string[], options: Options = {}) => chat(own, typed, options),
    /** As accept() leaves it, where the command is killed before it tells anybody. */
    rememberOf: (turnId: string, document: string | undefined) =>
      rememberYes(own.state, turnId, JSON.parse(document ?? '')),
    statuses: () => own.fake.conversation.turns.map(({ status }) => status),
    kept: (folder: string) => readdirSync(join(own.state, 'cli', folder)),
  }
}

const outputOf = (own: Own): Output => ({
  json: false,
  data: (_, human) => own.said.push(...human()),
  rows: (rows, human) => own.said.push(...rows.map(human)),
  line: (one) => own.lined.push(one),
  talk: (line) => own.said.push(line),
  problem: (message) => own.said.push(message),
})

/** The exit code; `watched` where a run was begun and would be watched. */
async function chat(own: Own, typed: readonly string[], options: Options) {
  const { anew = false, isTerminal = false, decide = allows } = options
  const { models = [], yes = false, planner, json = false } = options
  const rest = [...typed]
  const lines = {
    isTerminal,
    next: (prompt: string) => {
      own.said.push(prompt)
      return Promise.resolve(rest.shift())
    },
    close: () => undefined,
  }
  const output = { ...outputOf(own), json }
  try {
    return await chatCommand(() => Promise.resolve(own.fake.session), output, {
      ...{ yes, anew, priority: 'MEDIUM', names: nobody, decide, zone: 'UTC', lines },
      ...{ planner, models },
    })
  } catch (error) {
    if (error instanceof Watched) return 'watched'
    throw error
  }
}

const made = (is: string) => expect.objectContaining({ is })
/** One of `--json`, of a turn that has no run. */
export const line = (of: object, is?: string) =>
  expect.objectContaining({
    ...of,
    ...(is === undefined ? {} : { understood: made(is) }),
    run: null,
  })
