// The supervisor's side of quarantine with a fake notary: what holds at once, what waits for the
// notary, and whose word counts when the two differ. The real ones are in test/adversarial.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { QuarantineCall, QuarantineEntry } from '../../notary/quarantine-contract.ts'
import { SupervisorError } from '../../supervisor/codes.ts'
import { openQuarantine, type Quarantine, quarantineRefusal } from '../../supervisor/quarantine.ts'
import { createRoads } from '../../supervisor/roads.ts'

const notes = { agent: 'notes', n: 0 }
const feeds = { agent: 'feeds', n: 1 }

let folder: string
let table: QuarantineEntry[]
let asked: QuarantineCall[]
let isThere: boolean
/** Kept by the bus server until it is let go. */
let busTakes: Promise<void>
let did: string[]

const open = (): Quarantine =>
  openQuarantine({
    file: join(folder, 'quarantine.json'),
    replicas: [notes, feeds],
    now: () => 7,
    halt: async ({ agent, n }) => void did.push(`halt ${agent}.${n}`),
    shutOut: async (accounts) => {
      await busTakes
      did.push(`refuse ${[...accounts].join(' ')}`)
    },
    notary: () => ({
      boot: () => Promise.reject(new Error('not asked')),
      event: async () => undefined,
      quarantine: async (call) => {
        if (!isThere) throw new SupervisorError('NOT_RECORDED', 'away')
        asked.push(call)
        if (call.op !== 'list') table = table.filter(({ agent }) => agent !== call.agent)
        if (call.op === 'set') table.push(entry(call.agent, call.n))
        if (call.op === 'signal') table.push(entry(call.agent, call.n, call.signal))
        return table
      },
    }),
    say: () => undefined,
  })

const entry = (
  agent: string,
  n: number,
  code: QuarantineEntry['code'] = 'OWNER',
): QuarantineEntry => ({ agent, n, since: 7, by: 'user:owner', code, reason: '' })

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-quarantine-'))
  table = []
  asked = []
  did = []
  isThere = true
  busTakes = Promise.resolve()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a person who shuts an agent out', () => {
  it('ends its sandbox, has the bus refuse it, and has the notary record it', async () => {
    const quarantine = open()
    const { held, busRefuses } = await quarantine.impose([notes], 'odd')
    expect(held).toMatchObject([{ ...notes, recorded: true }])
    expect(busRefuses).toBe(true)
    expect(did).toEqual(['halt notes.0', 'refuse agent_notes_0'])
    expect(asked).toEqual([{ op: 'set', ...notes, by: 'user:owner', reason: 'odd' }])
    expect(quarantineRefusal(quarantine.of(notes))).toMatchObject({ code: 'QUARANTINED' })
    expect(quarantineRefusal(quarantine.of(feeds))).toBeUndefined()
  })

  it('needs no notary, which is told when it is there', async () => {
    isThere = false
    const quarantine = open()
    expect(await quarantine.impose([notes], '')).toMatchObject({ held: [{ recorded: false }] })
    expect(did).toEqual(['halt notes.0', 'refuse agent_notes_0'])
    isThere = true
    // Its table, which knows of nothing yet, does not let the agent in again.
    await quarantine.enforce([])
    await expect.poll(() => asked.map(({ op }) => op)).toEqual(['set'])
    await expect.poll(() => quarantine.of(notes)?.recorded).toBe(true)
  })

  it('is heard although the bus server is not there, which is asked again', async () => {
    busTakes = Promise.reject(new SupervisorError('BUS_NOT_RELOADED', 'away'))
    busTakes.catch(() => undefined)
    const quarantine = open()
    const { busRefuses } = await quarantine.impose([notes], '')
    expect(busRefuses).toBe(false)
    expect(did).toEqual(['halt notes.0'])
    await expect(quarantine.enforce(table)).rejects.toMatchObject({ code: 'BUS_NOT_RELOADED' })
    busTakes = Promise.resolve()
    await quarantine.enforce(table)
    expect(did).toEqual(['halt notes.0', 'refuse agent_notes_0'])
  })

  it('can take it back only when the notary does', async () => {
    const quarantine = open()
    await quarantine.impose([notes], '')
    isThere = false
    await expect(quarantine.restore([notes], '')).rejects.toMatchObject({ code: 'NOT_RECORDED' })
    expect(quarantine.of(notes)).toBeDefined()
    isThere = true
    expect(await quarantine.restore([notes], '')).toMatchObject([notes])
    expect(quarantine.of(notes)).toBeUndefined()
    expect(did.at(-1)).toBe('refuse ')
  })

  it('finds the bus open again when both orders come while the server is slow', async () => {
    const quarantine = open()
    let release: () => void = () => undefined
    busTakes = new Promise((resolve) => {
      release = resolve
    })
    const imposed = quarantine.impose([notes], '')
    const restored = quarantine.restore([notes], '')
    // Long enough for it to have taken what is under way for what is done.
    await new Promise((resolve) => setImmediate(resolve))
    release()
    await Promise.all([imposed, restored])
    expect(quarantine.accounts().size).toBe(0)
    expect(did).toEqual(['halt notes.0', 'refuse agent_notes_0', 'refuse '])
  })
})

describe('the copy in the state folder', () => {
  it('shuts out from the start, before the notary is asked', async () => {
    await open().impose([feeds], '')
    did = []
    const again = open()
    expect([...again.accounts()]).toEqual(['agent_feeds_1'])
    expect(again.of(feeds)).toMatchObject({ recorded: true })
    // The configuration of the bus was written with it: no reload is needed.
    await again.refresh()
    expect(did).toEqual([])
  })

  it('gives way to the table of the notary, both ways', async () => {
    await open().impose([notes], '')
    table = [entry('feeds', 1, 'DUPLICATE_IDENTITY')]
    did = []
    const again = open()
    await again.refresh()
    expect(again.entries().map(({ agent }) => agent)).toEqual(['feeds'])
    expect(did).toEqual(['halt feeds.1', 'refuse agent_feeds_1'])
  })

  it.each(['', '{}', '[{"agent":"notes"}]'])('is not guessed when it reads %j', (text) => {
    writeFileSync(join(folder, 'quarantine.json'), text)
    expect(open).toThrow(expect.objectContaining({ code: 'STATE_UNUSABLE' }))
  })

  it('is complete or absent, and nobody else’s to read', async () => {
    await open().impose([notes], 'r')
    expect(existsSync(join(folder, 'quarantine.json.new'))).toBe(false)
    const kept: unknown = JSON.parse(readFileSync(join(folder, 'quarantine.json'), 'utf8'))
    expect(kept).toMatchObject([{ ...notes, recorded: true }])
  })
})

describe('a second identity', () => {
  it('is the notary’s to judge, and what it says holds at once', async () => {
    const quarantine = open()
    expect(await quarantine.report(notes, 4_000)).toBe(true)
    expect(quarantine.of(notes)).toMatchObject({ code: 'DUPLICATE_IDENTITY' })
    expect(did).toEqual(['halt notes.0', 'refuse agent_notes_0'])
  })

  it('is reported again as long as it was not recorded', async () => {
    isThere = false
    expect(await open().report(notes, 4_000)).toBe(false)
  })
})

describe('the roads of a replica', () => {
  it('are its ports, those just closed included, and no others', () => {
    let now = 0
    const roads = createRoads(() => now)
    roads.open(1)
    roads.open(2)
    expect([roads.has(1), roads.has(2), roads.has(3)]).toEqual([true, true, false])
    roads.close(1)
    now += 15_000
    expect([roads.has(1), roads.has(2)]).toEqual([true, true])
    now += 1
    expect([roads.has(1), roads.has(2)]).toEqual([false, true])
  })
})
