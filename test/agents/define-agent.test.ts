// A manifest and its handlers fit together or do not compile; the expected errors below are the test.

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type ActionContext, defineAgent } from '../../agents/define-agent.ts'
import { type AgentManifest, ManifestError } from '../../plan/manifest.ts'

const common = {
  effect: 'read',
  roles: { '/text': 'content' },
  audience: 'owner',
  undo: 'none',
  idempotent: true,
  timeoutMs: 1_000,
  maxResultBytes: 1_000,
  summary: '',
} as const
const manifest = {
  name: 'test',
  summary: '',
  replicas: 1,
  alwaysOn: false,
  idleMs: 1_000,
  storage: 'none',
  perUser: false,
  mounts: [],
  actions: {
    upper: {
      ...common,
      input: z.strictObject({ text: z.string().default('none') }),
      output: z.strictObject({ text: z.string() }),
    },
    length: {
      ...common,
      input: z.strictObject({ text: z.string() }),
      output: z.strictObject({ characters: z.number() }),
    },
  },
} as const satisfies AgentManifest
const context: ActionContext = {
  idem: 'idem',
  kind: 'do',
  now: () => 0,
  folder: (at) => at,
  secret: (name) => name,
  fetch: () => Promise.reject(new Error('no network')),
  stream: () => Promise.reject(new Error('no network')),
  connect: () => Promise.reject(new Error('no network')),
  run: () => Promise.reject(new Error('no program')),
}
const handlers = {
  upper: async ({ text }: { text: string }) => ({ text: text.toUpperCase() }),
  length: async ({ text }: { text: string }) => ({ characters: text.length }),
}

describe('an agent definition', () => {
  it('calls a handler with the parsed arguments, defaults filled in', async () => {
    const run = defineAgent(manifest, handlers).actions.get('upper')?.prepare({})
    expect(await run?.(context)).toEqual({ text: 'NONE' })
  })

  it.each([{ text: 1 }, { text: 'a', more: 1 }, [], null, 'text'])(
    'has no call for the arguments %j',
    (args) => {
      expect(defineAgent(manifest, handlers).actions.get('upper')?.prepare(args)).toBeUndefined()
    },
  )

  it.each(['constructor', '__proto__', 'toString', ''])('has no action named %j', (name) => {
    expect(defineAgent(manifest, handlers).actions.get(name)).toBeUndefined()
  })

  it('has a runner where the manifest declares programs, and nowhere else', () => {
    const programs = [{ name: 'tool', from: { config: 'test.tool' }, kind: 'elf' }] as const
    const runner = () => () => Promise.reject(new Error('no program'))
    expect(defineAgent({ ...manifest, programs }, handlers, runner).programs).toBe(runner)
    expect(() => defineAgent({ ...manifest, programs }, handlers)).toThrow(ManifestError)
    expect(() => defineAgent(manifest, handlers, runner)).toThrow(ManifestError)
  })

  it('does not compile with a handler missing, or of other types', () => {
    const { upper, length } = handlers
    // @ts-expect-error a declared action has no handler
    defineAgent(manifest, { upper })
    // @ts-expect-error the result is not what the manifest says
    defineAgent(manifest, { upper, length: async () => ({ text: 'a' }) })
    const foreign = async ({ size }: { size: number }) => ({ characters: size })
    // @ts-expect-error the arguments are not what the manifest says
    defineAgent(manifest, { upper, length: foreign })
    expect(defineAgent(manifest, { upper, length }).actions.size).toBe(2)
  })
})
