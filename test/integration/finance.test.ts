// Money through a whole deployment, with a real hledger in the agent's sandbox: the two recipes over the
// sample home's journal and statements, an import that a failing run takes back, and a sync through the
// gateway, whose credential the agent never has. The server is ours, in the published shape of SimpleFIN.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { financeFiles } from '../../examples/home/finance.ts'
import { runCli } from '../support/cli.ts'
import { runSchema } from '../support/cli-shapes.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { installed, installTimeoutMs } from '../support/installed.ts'
import { startSimpleFin } from '../support/simplefin.ts'

const hledger = await installed('hledger')
if ('version' in hledger) console.info(`hledger ${hledger.version}`)
const missing = 'missing' in hledger ? hledger.missing : undefined

const day = '2026-11-21'
const password = 'canary-of-finance-5b20'

describe.skipIf(missing !== undefined)(
  `money in a deployment${missing === undefined ? '' : ` (${missing})`}`,
  { timeout: installTimeoutMs },
  () => {
    let state: string
    let finance: string
    let deployment: TestDeployment
    let server: Server
    const asked: IncomingMessage[] = []

    beforeAll(async () => {
      if ('missing' in hledger) return
      server = await startSimpleFin(asked)
      state = mkdtempSync(join(tmpdir(), 'bulkhead-finance-'))
      finance = join(state, 'finance')
      mkdirSync(join(state, 'notes'), { recursive: true })
      for (const [name, text] of financeFiles({ today: day, seed: 1, timeZone: 'UTC' })) {
        mkdirSync(dirname(join(finance, name)), { recursive: true })
        writeFileSync(join(finance, name), text)
      }
      const { port } = server.address() as AddressInfo
      const settings = [
        ...['timezone: UTC', 'agents:', '  notes:', '    folder: notes', '  finance:'],
        ...['    folder: finance', `    hledger: ${hledger.command}`],
        ...[`    simplefin: http://127.0.0.1:${port}`],
        '    simplefinAccess: env://BULKHEAD_TEST_SIMPLEFIN',
      ]
      writeFileSync(join(state, 'bulkhead.yaml'), `${settings.join('\n')}\n`)
      const env = { BULKHEAD_TEST_SIMPLEFIN: `user:${password}` }
      deployment = await startDeployment({ state, env })
    }, installTimeoutMs)

    afterAll(async () => {
      if (missing !== undefined) return
      await deployment.stop()
      await new Promise((resolve) => server.close(resolve))
      rmSync(state, { recursive: true, force: true })
    })

    const imports = () => {
      const folder = join(finance, 'imported')
      return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : []
    }
    async function run(...args: string[]) {
      const { code, stdout, stderr } = await runCli(['run', ...args, '--state', state, '--json'])
      const parsed = runSchema.safeParse(stdout === '' ? undefined : JSON.parse(stdout))
      if (!parsed.success) throw new Error(`${code}: ${stderr}${stdout}`)
      return { code, result: parsed.data }
    }
    async function runPlan(steps: string) {
      const file = join(state, 'plan.yaml')
      writeFileSync(file, `version: 1\ngoal: g\nsteps:\n${steps}answer: { from: [money] }\n`)
      return run(file)
    }

    test('the week is told with bars, and the month against its goals', async () => {
      const { code, result } = await run('weekly-spending', '--input', `day=${day}`)
      expect([code, result.status]).toEqual([0, 'completed'])
      expect(result.answer).toMatch(/Spending from 2026-11-15 to before 2026-11-22: [\d.]+ EUR\n/)
      expect(result.answer).toMatch(/█{20} expenses:food [\d.]+ EUR\n/)
      expect(result.answer).toMatch(/expenses:fun 14\.99 EUR of 60\.00 EUR, 24 %\n/)
    })

    test('bills that are due are found and kept, the changed ones marked', async () => {
      const { code, result } = await run('bill-reminders', '--input', `day=${day}`)
      expect([code, result.status]).toEqual([0, 'completed'])
      expect(result.answer).toContain(
        '2026-12-01  Landlord -905.00 EUR, monthly (another amount than before)',
      )
      expect(result.answer).toContain('2026-12-05  Household insurance -184.20 EUR, yearly')
      expect(readFileSync(join(state, 'notes', 'bills.md'), 'utf8')).toContain(
        '- 2026-12-01 Landlord',
      )
    })

    const importGiro = `
  - id: money
    agent: finance
    action: import
    args: { file: giro.csv, rules: giro, account: "assets:bank:joint" }
`
    test('an import is taken back when its run fails, and every file is as it was', async () => {
      const failing = `
  - id: fail
    agent: notes
    action: read
    args: { note: nowhere }
    needs: [money]
`
      const { code, result } = await runPlan(importGiro + failing)
      expect([code, result.status]).toEqual([1, 'failed'])
      expect(result.steps[0]).toMatchObject({ outcome: 'settled', undo: 'settled' })
      expect(imports()).toEqual([])
    })

    test('an import stays when its run ends well, is read by hledger, and finds itself a second time', async () => {
      const readBack = `
  - id: read
    agent: finance
    action: balances
    args: { accounts: ["assets:bank:joint"] }
    needs: [money]
`
      const first = await runPlan(importGiro + readBack)
      expect(first.code, JSON.stringify(first.result)).toBe(0)
      expect(imports()).toEqual(['assets.bank.joint.journal'])
      const file = join(finance, 'imported', 'assets.bank.joint.journal')
      const text = readFileSync(file, 'utf8')
      expect(text.match(/bulkhead-id:/g)).toHaveLength(7)
      expect(text).toContain('Café am Eck')
      expect(text).toContain('* =HYPERLINK("http://prize.example",')
      expect((await runPlan(importGiro)).code).toBe(0)
      expect(readFileSync(file, 'utf8')).toBe(text)
    })

    test('a sync asks the server with a credential that is the gateway alone', async () => {
      const sync = `
  - id: money
    agent: finance
    action: sync
    args: { source: ACT-1, account: "assets:bank:remote" }
`
      const { code, result } = await runPlan(sync)
      expect(code, JSON.stringify(result)).toBe(0)
      expect(asked.map(({ method }) => method)).toEqual(['GET'])
      expect(asked[0]?.url).toMatch(/^\/simplefin\/accounts\?account=ACT-1&start-date=\d+$/)
      const basic = Buffer.from(`user:${password}`).toString('base64')
      expect(asked[0]?.headers.authorization).toBe(`Basic ${basic}`)
      const text = readFileSync(join(finance, 'imported', 'assets.bank.remote.journal'), 'utf8')
      expect(text).toContain('    assets:bank:remote  -12.34 EUR\n')
      expect(JSON.stringify(result) + text + deployment.said()).not.toContain(password)
    })
  },
)
