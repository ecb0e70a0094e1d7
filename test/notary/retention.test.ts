// How long cards are kept: as long as the notary keeps its state, and as long as they count. What is
// forgotten is gone from the file, and approves nothing; who decided, and on which digest, stays.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRetention } from '../../notary/retention.ts'
import { limits } from '../../plan/limits.ts'
import { approved, erase, erasingPlan, fire, schedule } from '../support/notary-approval-set-up.ts'
import { askingHarness, openQuestions, say } from './approvals.ts'
import type { Harness } from './harness.ts'
import { erasing } from './plans.ts'

const day = 24 * 3_600_000
const secret = 'the-diary-of-the-summer'
let folder: string
let home: Harness
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-retention-'))
  home = await askingHarness({ folder })
})
afterEach(async () => {
  await home.close()
  rmSync(folder, { recursive: true, force: true })
})

const sweep = () => createRetention(home.store, home.clock.now).tick()
const shown = (id: string) => home.notary.approve('cli', { op: 'show', id })
/** The plan keeps its arguments; what the card says of them stands nowhere else. */
const inFile = () =>
  readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'latin1'))
    .some((bytes) => bytes.includes(`"args":{"dryRun":false,"note":"${secret}"},"audience"`))
const gone = { status: 'REFUSED', code: 'UNKNOWN_APPROVAL' }

describe('a card', () => {
  it('is kept for 400 days after the decision, and then is gone from the file', async () => {
    const source = erasing.replace('note: daily', `note: ${secret}`)
    const { id } = await erasingPlan(home, 'r-1', source)
    await say(home, id, { decision: 'deny' })
    home.clock.time += limits.cardsKeptMs
    expect(await sweep()).toBe(0)
    expect(await shown(id)).toMatchObject({ status: 'SHOWN' })
    expect(inFile()).toBe(true)
    home.clock.time += 1
    expect(await sweep()).toBe(1)
    expect(await shown(id)).toMatchObject(gone)
    expect(await sweep()).toBe(0)
    const before = home.clock.time - limits.cardsKeptMs
    const row = home.rows().findLast(({ subject }) => subject === 'cards')
    expect(JSON.parse(row?.body ?? '')).toEqual({ event: 'forgotten', count: 1, before })
    // The plan keeps its arguments; what only the card says of them is nowhere any more.
    await home.store.close()
    expect(inFile()).toBe(false)
    home = await home.restart()
    const [known] = home.store.state.approvalsOf('user:owner', 0)
    expect(known).toMatchObject({ id, state: 'denied' })
    expect(home.store.state.approval(id)).toMatchObject({ card: '', digest: known?.digest })
    expect(home.store.state.approval(id)?.statement).not.toBeNull()
  })

  it('goes as well where nobody ever answered, and stays where somebody still may', async () => {
    const { id } = await erasingPlan(home)
    home.clock.time += limits.approvalLifeMs + limits.cardsKeptMs + 1
    const later = await erasingPlan(home, 'r-2')
    expect(await sweep()).toBe(1)
    expect(await shown(id)).toMatchObject(gone)
    expect((await openQuestions(home)).map((one) => one.id)).toEqual([later.id])
  })

  it('of a schedule stays as long as the schedule, whose firings it covers', async () => {
    const id = await schedule(home)
    await say(home, id)
    home.clock.time += limits.cardsKeptMs + day
    expect(await sweep()).toBe(0)
    const { reply } = await fire(home)
    expect(reply).toMatchObject({ status: 'ADMITTED' })
    await home.notary.schedule('cli', { op: 'remove', id: 'tidy' })
    home.clock.time += limits.cardsKeptMs + day
    expect(await sweep()).toBe(1)
    expect(await shown(id)).toMatchObject(gone)
  })

  it('that is gone approves nothing, and the step is asked about', async () => {
    const { run } = await approved(home)
    home.clock.time += limits.cardsKeptMs + day
    await home.boot({ bootEpoch: 'epoch-0002' })
    expect(await sweep()).toBe(1)
    expect(await run.authorize('erase', erase)).toMatchObject({ status: 'APPROVAL' })
  })

  it('is looked for once a day, as many as there are', async () => {
    const retention = createRetention(home.store, home.clock.now)
    const hour = 3_600_000
    expect(await retention.tick()).toBe(0)
    for (const id of ['r-1', 'r-2']) await erasingPlan(home, id)
    home.clock.time += hour
    await erasingPlan(home, 'r-3')
    home.clock.time += limits.approvalLifeMs + limits.cardsKeptMs - hour + 1
    expect(await retention.tick()).toBe(2)
    home.clock.time += 2 * hour
    expect(await retention.tick()).toBe(0)
    home.clock.time += day
    expect(await retention.tick()).toBe(1)
  })
})
