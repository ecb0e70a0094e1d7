// reach.json against everything that enforces it, in a running deployment: the configuration that the
// bus server read, the mounts that the sandboxes have, what the gateway was started with. And growth:
// refused until the owner accepts it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { catalogue } from '../../agents/catalogue.ts'
import { ensureReplySchema } from '../../agents/protocol.ts'
import { connectBus } from '../../security/bus.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { sha256 } from '../../security/verify/hash.ts'
import { runCli } from '../support/cli.ts'
import { startDeployment, stubParty, type TestDeployment } from '../support/deployment.ts'
import { parseNatsConf } from '../support/nats-conf.ts'

const strings = z.array(z.string())
const reachSchema = z.looseObject({
  agents: z.record(
    z.string(),
    z.looseObject({
      token: z.looseObject({
        actions: z.array(z.looseObject({ name: z.string(), egress: strings })),
      }),
      bus: z.looseObject({ account: z.string(), publish: strings, subscribe: strings }),
      mounts: z.array(
        z.looseObject({ folder: z.string().nullable(), at: z.string(), mode: z.string() }),
      ),
      egress: z.array(z.looseObject({ id: z.string(), origins: strings, allow: strings })),
    }),
  ),
})

const state = mkdtempSync(join(tmpdir(), 'bulkhead-reach-'))
const options = { home: 'sample', workerEntry: stubParty, state } as const
let deployment: TestDeployment

const read = (...path: readonly string[]) => readFileSync(join(state, ...path), 'utf8')
const reachText = () => read('public', 'reach.json')
const reach = () => reachSchema.parse(JSON.parse(reachText())).agents

async function ensure(agent: string) {
  const bus = await connectBus({ credentials: join(state, 'worker', 'bus'), reconnect: false })
  const head = { receiver: 'supervisor', type: 'TASK_REQUEST', correlationId: '' } as const
  const call = { reply: ensureReplySchema, timeoutMs: 30_000 }
  const reply = await bus.call('supervisor.ensure', head, { agent, n: 0 }, call)
  await bus.close()
  return reply
}

beforeAll(async () => {
  deployment = await startDeployment(options)
})
afterAll(async () => {
  await deployment.stop()
  rmSync(state, { recursive: true, force: true })
})

describe('reach.json', () => {
  it('has every replica, and the digest that the audit has', async () => {
    const replicas = [...catalogue.keys()].map((name) => `${name}.0`)
    expect(new Set(Object.keys(reach()))).toEqual(new Set(replicas))
    const rows = await runCli(['audit', 'query', '--kind', 'security', '--json', '--state', state])
    expect(rows.stdout).toContain(sha256(reachText()))
  })

  it('says of tokens what the manifests allow', () => {
    for (const [name, manifest] of catalogue) {
      const actions = reach()[`${name}.0`]?.token.actions ?? []
      expect(actions.map((one) => one.name)).toEqual(Object.keys(manifest.actions))
    }
  })

  it('says of the bus what the server was configured with', () => {
    const user = z.looseObject({
      permissions: z.looseObject({
        publish: z.looseObject({ allow: strings }),
        subscribe: z.looseObject({ allow: strings }),
      }),
    })
    const account = z.looseObject({ users: z.array(user).optional() })
    const { accounts } = z
      .looseObject({ accounts: z.record(z.string(), account) })
      .parse(parseNatsConf(read('nats', 'nats.conf')))
    for (const { bus } of Object.values(reach())) {
      const permissions = accounts[bus.account]?.users?.[0]?.permissions
      expect(permissions?.publish.allow).toEqual(bus.publish)
      expect(permissions?.subscribe.allow).toEqual(bus.subscribe)
    }
  })

  it('says of folders what is mounted in the sandboxes', async () => {
    const mount = z.looseObject({
      destination: z.string(),
      source: z.string().optional(),
      options: strings.optional(),
    })
    for (const agent of catalogue.keys()) {
      const mine = reach()[`${agent}.0`]?.mounts ?? []
      if (mine.some(({ folder }) => folder === null)) {
        // The sample home has not set it up: it does not start, rather than start without its folders.
        expect(await ensure(agent)).toMatchObject({ status: 'FAILED', code: 'NOT_CONFIGURED' })
        continue
      }
      expect(await ensure(agent)).toMatchObject({ status: 'RUNNING' })
      const config = read('agents', `${agent}.0`, 'run', 'sandbox', 'config.json')
      const { mounts } = z.looseObject({ mounts: z.array(mount) }).parse(JSON.parse(config))
      const data = mounts.filter(({ destination }) => destination.startsWith('/data/'))
      const found = data.map(({ destination, source, options: flags = [] }) => ({
        folder: source,
        at: destination,
        mode: flags.includes('rw') ? 'rw' : 'ro',
      }))
      expect(found).toEqual(mine.map(({ folder, at, mode }) => ({ folder, at, mode })))
    }
  })

  it('says of hosts what the gateway was started with', () => {
    const egress = z.looseObject({ id: z.string(), origins: strings, allow: z.array(z.unknown()) })
    const agent = z.looseObject({
      agent: z.string(),
      n: z.number(),
      egress: z.array(egress),
      actions: z.record(z.string(), strings),
    })
    const { agents } = z
      .looseObject({ agents: z.array(agent) })
      .parse(JSON.parse(read('gateway', 'config.json')))
    const asking = Object.entries(reach()).filter(([, one]) => one.egress.length > 0)
    expect(agents.map((one) => `${one.agent}.${one.n}`).sort()).toEqual(
      asking.map(([name]) => name),
    )
    for (const one of agents) {
      const said = reach()[`${one.agent}.${one.n}`]
      const enforced = one.egress.map(({ id, origins, allow }) => {
        return { id, origins, allow: allow.map((rule) => canonicalJson(rule)) }
      })
      expect(said?.egress.map(({ id, origins, allow }) => ({ id, origins, allow }))).toEqual(
        enforced,
      )
      expect(said?.token.actions.map(({ name, egress: ids }) => [name, ids])).toEqual(
        Object.entries(one.actions),
      )
    }
  })

  it('is shown with the agent', async () => {
    const { body } = await deployment.control('GET', '/agents/weather')
    expect(body).toMatchObject({ reach: { egress: reach()['weather.0']?.egress } })
  })
})

describe('reach that grew', () => {
  it('keeps its agent from starting, until the owner accepts it', async () => {
    await deployment.stop()
    const file = join(state, 'bulkhead.yaml')
    const text = readFileSync(file, 'utf8')
    const grown = text.replace(/(origins: .*)$/m, '$1, https://elsewhere.example')
    expect(grown).not.toBe(text)
    writeFileSync(file, grown)
    deployment = await startDeployment(options)
    expect(deployment.said()).toContain('https://elsewhere.example')
    expect(await ensure('feeds')).toMatchObject({ status: 'FAILED', code: 'REACH_NOT_ACCEPTED' })
    expect(await ensure('notes')).toMatchObject({ status: 'RUNNING' })
    const accepted = await runCli(['agents', 'accept-reach', '--json', '--state', state])
    expect(accepted.code, accepted.stderr).toBe(0)
    expect(accepted.stdout).toContain('https://elsewhere.example')
    expect(await ensure('feeds')).toMatchObject({ status: 'RUNNING' })
  })
})
