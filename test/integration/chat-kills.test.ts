// `bulkhead chat` while what it talks to is killed with SIGKILL: it may go on or say that the platform does
// not answer, but whoever starts it again is asked nothing that they have answered, and every turn comes to
// one run.

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runCli, startCli } from '../support/cli.ts'
import { findVictim } from '../support/conversation-kills.ts'
import { type CrashDeployment, startCrashDeployment } from '../support/crash-deployment.ts'
import { createGate, type Gate } from '../support/crash-gate.ts'

const cells = [
  { point: 'said', victim: 'worker' },
  { point: 'planned', victim: 'temporal' },
  { point: 'accepted', victim: 'bus' },
  { point: 'accepted', victim: 'notary' },
  { point: 'begun', victim: 'temporal' },
] as const
const turnsSchema = z.array(
  z.looseObject({ turnId: z.string(), words: z.string(), status: z.string() }),
)
const entry = join(import.meta.dirname, '..', 'support', 'killed-chat-main.ts')

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-chat-kills-'))
let deployment: CrashDeployment
let gate: Gate
beforeAll(async () => {
  gate = createGate(folder)
  deployment = await startCrashDeployment(false)
}, 240_000)
afterAll(async () => {
  gate.open()
  await deployment.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** What the command still owes the person. */
const owed = () =>
  ['said-yes', 'chat/outbox', 'chat/unseen'].filter((name) => {
    const kept = join(deployment.state, 'cli', name)
    return existsSync(kept) && readdirSync(kept).length > 0
  })
/** Empty as well while the platform does not answer. */
async function turns(words: string) {
  const { code, stdout } = await runCli(['chat', 'show', '--state', deployment.state, '--json'])
  const all = code === 0 ? turnsSchema.parse(JSON.parse(stdout)) : []
  return all.filter((turn) => turn.words === words)
}
const statusesOf = async (words: string) => (await turns(words)).map(({ status }) => status)
const hasSaid = async (words: string) =>
  owed().includes('said-yes') || (await statusesOf(words)).some((one) => /accepted|begun/.test(one))

describe('a command whose platform breaks down in the middle of a turn', () => {
  it.each(cells)(
    'comes to one run, asked once: $victim, $point',
    { timeout: 300_000 },
    async (cell) => {
      const { point, victim } = cell
      const chat = ['chat', '--state', deployment.state, '--json']
      const words = `note that ${victim} was killed at ${point}`
      gate.arm(point)
      // The yes is there to be read once.
      const first = startCli([deployment.state, point, folder], {
        entry,
        input: `${words}\nyes\n`,
      })
      await gate.reached(120_000)
      await deployment.kill((await findVictim(deployment, victim)).pid)
      gate.release()
      await first.ended
      await expect
        .poll(
          async () => {
            // Whoever has said yes has nothing more to say.
            const input = (await hasSaid(words)) ? '' : 'yes\n'
            const { code } = await runCli(chat, { input })
            return { code, statuses: await statusesOf(words), owed: owed() }
          },
          { timeout: 240_000, interval: 500 },
        )
        .toEqual({ code: 0, statuses: ['begun'], owed: [] })
      expect(await statusesOf('yes')).toEqual([])
      expect(deployment.notes().split(`${victim} was killed at ${point}`)).toHaveLength(2)
    },
  )
})
