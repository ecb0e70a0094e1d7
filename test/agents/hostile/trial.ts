// One hostile input for one parser, and what it must end in: a typed failure, or a result that says what was
// left out of it. Calls are made as the runtime makes them, with results judged by the rules that worker and
// notary have for them; what fails otherwise is told as a finding of `agent check` would be.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { perform } from '../../../agents/check/call.ts'
import { Tally } from '../../../agents/check/contract.ts'
import type { ExampleWorld } from '../../../agents/check/examples-contract.ts'
import { createWorld, idemOf } from '../../../agents/check/world.ts'
import type { AgentDefinition } from '../../../agents/define-agent.ts'
import type { FailureCode } from '../../../agents/protocol.ts'

export const kinds = {
  entities: 'a bomb of entities',
  gigantic: 'gigantic lines',
  encoding: 'another encoding',
  dates: 'dates before all time, or that never were',
  formula: 'a cell that a spreadsheet would run',
  paths: 'a name that leads elsewhere',
  crowd: 'ten thousand of them',
  depth: 'nesting without end',
} as const
export type Kind = keyof typeof kinds
export const allKinds = Object.keys(kinds) as readonly Kind[]

/** What became of it. `code`: of the failure. */
export type Ended = { readonly code: string } | { readonly result: unknown; readonly bytes: number }

/** The code, or what the result says at least: of a part that was left out, or taken for the text that it is. */
export type Ends = FailureCode | { readonly says: unknown }

export interface Trial {
  readonly what: string
  readonly ends: Ends | 'CONFIG_INVALID'
  run(): Promise<Ended>
}

/** Why an input of that kind cannot be made for that parser. */
export interface NotOfIt {
  readonly not: string
}

export interface HostileParser {
  /** What it reads. */
  readonly reads: string
  readonly cells: Readonly<Record<Kind, readonly Trial[] | NotOfIt>>
}

export const not = (reason: string): NotOfIt => ({ not: reason })

export interface HostileCall {
  readonly action: string
  readonly args: object
  /** Made before it, and must end well. */
  readonly before?: { readonly action: string; readonly args: object }
  readonly world: Omit<ExampleWorld, 'name' | 'now' | 'calls'>
  /** For what a table of files cannot say: links, pipes, thousands. */
  prepare?(folder: string): void
}

const now = '2026-11-21T08:00:00Z'

/** @param make the input is made when it is tried, one at a time: some are megabytes */
export function trial(
  agent: AgentDefinition,
  what: string,
  ends: Ends,
  make: () => HostileCall,
): Trial {
  return { what, ends, run: () => tryIt(agent, make()) }
}

async function tryIt(agent: AgentDefinition, call: HostileCall): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-hostile-'))
  const tally = new Tally()
  try {
    const example = { name: 'hostile', now, calls: {}, ...call.world }
    const world = createWorld(agent.manifest, example, folder)
    call.prepare?.(folder)
    if (call.before !== undefined) {
      const first = await perform(agent, world, tally, { ...call.before, idem: idemOf('before') })
      if (first.kind !== 'done') throw new Error(`what comes before it ends ${first.kind}`)
    }
    const { action, args } = call
    const ended = await perform(agent, world, tally, { action, args, idem: idemOf('it') })
    switch (ended.kind) {
      case 'done':
        return { result: ended.result, bytes: Buffer.byteLength(ended.text) }
      case 'failed':
        return { code: ended.code }
      case 'refused':
        // By the manifest: no handler sees it.
        return { code: 'INVALID_INPUT' }
      case 'unknown':
        return { code: 'an unknown outcome' }
      case 'faulty':
        return { code: tally.found.map(({ code, message }) => `${code}: ${message}`).join() }
      default:
        return ended satisfies never
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const megabytes = (count: number, text = 'x') =>
  text.repeat(Math.ceil((count * 1024 * 1024) / text.length))

/** `levels` of entities, ten of the level below in each. */
export const entityBomb = (root: string, inside: string, levels = 9) =>
  `<?xml version="1.0"?>\n<!DOCTYPE ${root} [<!ENTITY e0 "ha">${Array.from(
    { length: levels },
    (_, at) => `<!ENTITY e${at + 1} "${`&e${at};`.repeat(10)}">`,
  ).join('')}]>\n${inside.replaceAll('BOMB', `&e${levels};`)}`

export const formula = '=HYPERLINK("http://prize.example","Prize")'
