// A memory in a folder of its own, for tests: calls of its actions, and what lies in its files.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { agent } from '../../agents/memory/agent.ts'
import type { manifest } from '../../agents/memory/manifest.ts'
import { idemOf, perform } from './action-context.ts'

type Actions = (typeof manifest)['actions']
type Name = keyof Actions & string
type Result<Action extends Name> = z.output<Actions[Action]['output']>

export const now = Date.parse('2026-11-21T08:00:00Z')
export const dayMs = 24 * 60 * 60 * 1_000

export interface MemoryFolder {
  readonly folder: string
  /** @param options.at milliseconds since the epoch */
  call<Action extends Name>(
    action: Action,
    args: object,
    options?: { readonly idem?: string; readonly at?: number },
  ): Promise<Result<Action>>
  /** Of the call that remembered it. */
  remember(text: string, more?: object): Promise<{ readonly id: string; readonly idem: string }>
  texts(at?: number): Promise<readonly string[]>
  /** All files, one after the other. */
  raw(): Buffer
  remove(): void
}

export function createMemoryFolder(): MemoryFolder {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-memory-'))
  let drawn = 0
  const call = async <Action extends Name>(
    action: Action,
    args: object,
    { idem = `call ${drawn++}`, at = now }: { readonly idem?: string; readonly at?: number } = {},
  ): Promise<Result<Action>> => {
    const setting = { folder, now: at }
    // `perform` has parsed it with this action's schema.
    return (await perform(agent, { action, args, setting, idem: idemOf(idem) })) as Result<Action>
  }
  return {
    folder,
    call,
    async remember(text, more = {}) {
      const idem = `remember ${drawn++}`
      const { id } = await call('remember', { text, ...more }, { idem })
      return { id, idem }
    },
    async texts(at = now) {
      const { entries } = await call('list', { limit: 100 }, { at })
      return entries.map(({ text }) => text)
    },
    raw: () => Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name)))),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Keys in use, by id, as they lie in a copy of `keys.db`. */
export function keysIn(folder: string): ReadonlyMap<string, Buffer> {
  const database = new DatabaseSync(join(folder, 'keys.db'))
  try {
    const rows = z
      .array(z.object({ id: z.string(), key: z.instanceof(Uint8Array) }))
      .parse(database.prepare("SELECT id, key FROM keys WHERE forgotten > '9999'").all())
    return new Map(rows.map(({ id, key }) => [id, Buffer.from(key)]))
  } finally {
    database.close()
  }
}
