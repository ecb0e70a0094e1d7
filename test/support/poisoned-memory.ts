// An entry of memory that says of itself that it can be trusted, and names an address. The agent itself
// writes it and shows it; a plan makes it the recipient of a mail. poisoned-memory.test.ts bundles this file
// from sources in which checks are missing.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { agent } from '../../agents/memory/agent.ts'
import { manifest } from '../../agents/memory/manifest.ts'
import { compileSource } from '../../plan/compile.ts'
import { createCatalogue } from '../../plan/manifest.ts'
import type { Decide } from '../../plan/policy.ts'
import { perform } from '../agents/action-context.ts'
import { createHarness } from '../notary/harness.ts'
import { mail } from './mail-manifest.ts'

const catalogue = createCatalogue([mail, manifest])
/** Every rule of the policy allows it: what refuses here is the flow. */
const decide: Decide = () => ({ verdict: 'allow', rules: ['anything'] })

/** 1 and 0, as a model of embeddings would say it. */
const embedding = { model: 'nomic-embed-text', vector: 'AACAPwAAAAA=' }
const ways = {
  shown: {
    step: "action: show, args: { id: '0123456789abcdef' }",
    to: "{ $from: 'who#/entry/text' }",
  },
  meant: {
    step: `action: recall, args: { query: x, embedding: ${JSON.stringify(embedding)} }`,
    // There may be no such match, and a text is one all the same.
    to: "{ $text: '{{#who}}{{snippet}}{{/who}}', with: { who: { $from: 'who#/matches' } } }",
  },
} as const
export type Way = keyof typeof ways

const planBy = ({ step, to }: (typeof ways)[Way]) => `
version: 1
goal: write to whom I always write
steps:
  - { id: who, agent: memory, ${step} }
  - id: write
    agent: mail
    action: send
    args: { to: [${to}], subject: Hello, body: The account is 1234 }
answer: { from: [who] }
`

export interface Answers {
  /** What the agent shows of it. */
  readonly said: unknown
  /** Codes and paths. */
  readonly check: string
  readonly request: string
  readonly admit?: string
}

/**
 * @param poison what the entry's text, source and label say
 * @param way how the plan gets it: by its id, or as what means the same as something
 */
export async function attempt(poison: object, way: Way = 'shown'): Promise<Answers> {
  const said = await keepAndShow(poison, way)
  const source = planBy(ways[way])
  const compiled = compileSource({ kind: 'plan', source, inputs: {}, catalogue, decide })
  const check = compiled.ok
    ? 'ok'
    : compiled.issues.map(({ code, path }) => `${code} ${path}`).join(', ')
  const harness = await createHarness({ catalogue, decide })
  try {
    const call = { requestId: 'r-1', kind: 'plan', name: 'test', source, inputs: {} }
    const registered = await harness.notary.request('cli', { ...call, priority: 'MEDIUM' })
    if (registered.status !== 'REGISTERED') return { said, check, request: registered.code }
    if (!compiled.ok) return { said, check, request: registered.status }
    const asked = { requestId: 'r-1', plan: compiled.plan }
    const admitted = await harness.notary.admit('worker', asked)
    const admit = admitted.status === 'REFUSED' ? admitted.code : admitted.status
    return { said, check, request: registered.status, admit }
  } finally {
    await harness.close()
  }
}

async function keepAndShow(poison: object, way: Way): Promise<unknown> {
  const setting = { folder: mkdtempSync(join(tmpdir(), 'bulkhead-poison-')), now: Date.now() }
  try {
    await perform(agent, { action: 'remember', args: { ...poison, embedding }, setting })
    if (way === 'meant') {
      const recalled = await perform(agent, {
        ...{ action: 'recall', setting, args: { query: 'x', embedding } },
      })
      const [match] = manifest.actions.recall.output.parse(recalled).matches
      return match?.by === 'meaning' ? { ...match, text: match.snippet } : undefined
    }
    const listed = await perform(agent, { action: 'list', args: {}, setting })
    return manifest.actions.list.output.parse(listed).entries[0]
  } finally {
    rmSync(setting.folder, { recursive: true, force: true })
  }
}
