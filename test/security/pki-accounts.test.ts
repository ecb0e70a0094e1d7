// The generated configuration, read back and compared with the table "Who may say what on NATS" of
// contracts.md, which is written down here a second time and by hand.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { deriveAccounts } from '../../security/pki/accounts.ts'
import { prepareIdentities } from '../../security/pki/identities.ts'
import { parseNatsConf } from '../support/nats-conf.ts'

const replicas = [
  { agent: 'calendar', n: 1 },
  { agent: 'my-notes', n: 1 },
  { agent: 'my-notes', n: 2 },
]

interface Row {
  /** Subject it publishes on -> account and subject that the server delivers it to. */
  readonly calls: Readonly<Record<string, readonly [account: string, subject: string]>>
  /** What its user may subscribe to; undefined: no user exists. */
  readonly subscribes?: readonly string[]
  readonly replies?: string
  /** What it publishes to without an import: services of the server itself. */
  readonly asks?: readonly string[]
}

const fixed: Readonly<Record<string, Row>> = {
  worker: {
    calls: {
      'notary.admit': ['notary', 'notary.admit.worker'],
      'notary.authorize': ['notary', 'notary.authorize.worker'],
      'notary.settle': ['notary', 'notary.settle.worker'],
      'notary.head': ['notary', 'notary.head.worker'],
      'supervisor.ensure': ['supervisor', 'supervisor.ensure'],
      'supervisor.pool': ['supervisor', 'supervisor.pool'],
      'supervisor.retriever': ['supervisor', 'supervisor.retriever'],
      'agent.calendar.1.exec': ['agent_calendar_1', 'exec'],
      'agent.my-notes.1.exec': ['agent_my-notes_1', 'exec'],
      'agent.my-notes.2.exec': ['agent_my-notes_2', 'exec'],
    },
    subscribes: ['worker.artifact.*.*', 'worker.retrieve.*', '_INBOX_worker.>'],
    replies: 'at any time',
  },
  cli: {
    calls: {
      'notary.request': ['notary', 'notary.request.cli'],
      'notary.cancel': ['notary', 'notary.cancel.cli'],
      'notary.recover': ['notary', 'notary.recover.cli'],
      'notary.schedule': ['notary', 'notary.schedule.cli'],
      'notary.approve': ['notary', 'notary.approve.cli'],
      'notary.query': ['notary', 'notary.query.cli'],
      'notary.head': ['notary', 'notary.head.cli'],
      'worker.artifact.get': ['worker', 'worker.artifact.get.cli'],
      'worker.artifact.put': ['worker', 'worker.artifact.put.cli'],
      'worker.retrieve': ['worker', 'worker.retrieve.cli'],
    },
    subscribes: ['_INBOX_cli.>'],
  },
  console: {
    calls: {
      'notary.request': ['notary', 'notary.request.console'],
      'notary.cancel': ['notary', 'notary.cancel.console'],
      'notary.recover': ['notary', 'notary.recover.console'],
      'notary.schedule': ['notary', 'notary.schedule.console'],
      'notary.approve': ['notary', 'notary.approve.console'],
      'notary.query': ['notary', 'notary.query.console'],
      'notary.head': ['notary', 'notary.head.console'],
      'worker.artifact.get': ['worker', 'worker.artifact.get.console'],
      'worker.artifact.put': ['worker', 'worker.artifact.put.console'],
      'worker.retrieve': ['worker', 'worker.retrieve.console'],
    },
  },
  ingress: {
    calls: {
      'notary.request': ['notary', 'notary.request.ingress'],
      'notary.approve': ['notary', 'notary.approve.ingress'],
      ingest: ['streams', 'ingest'],
    },
  },
  supervisor: {
    calls: {
      'notary.boot': ['notary', 'notary.boot.supervisor'],
      'notary.event': ['notary', 'notary.event.supervisor'],
      'notary.quarantine': ['notary', 'notary.quarantine.supervisor'],
    },
    subscribes: [
      ...['supervisor.ensure', 'supervisor.quarantine', 'supervisor.heartbeat', 'supervisor.pool'],
      'supervisor.retriever',
      '_INBOX_supervisor.>',
    ],
    replies: 'at any time',
  },
  notary: {
    calls: {
      'supervisor.quarantine': ['supervisor', 'supervisor.quarantine'],
      'supervisor.heartbeat': ['supervisor', 'supervisor.heartbeat'],
      events: ['streams', 'events'],
    },
    subscribes: ['notary.*.*', 'evt.*.*', '_INBOX_notary.>'],
    replies: 'at any time',
  },
  gateway: { calls: { 'notary.event': ['notary', 'notary.event.gateway'] } },
  streams: { calls: {} },
  sys: {
    calls: {},
    asks: ['$SYS.REQ.SERVER.PING.CONNZ'],
    subscribes: ['$SYS.ACCOUNT.*.CONNECT', '_INBOX_sys.>'],
  },
  agent_calendar_1: {
    calls: { evt: ['notary', 'evt.calendar.1'] },
    subscribes: ['exec'],
    replies: '30s',
  },
  'agent_my-notes_1': {
    calls: { evt: ['notary', 'evt.my-notes.1'] },
    subscribes: ['exec'],
    replies: '30s',
  },
  'agent_my-notes_2': {
    calls: { evt: ['notary', 'evt.my-notes.2'] },
    subscribes: ['exec'],
    replies: '30s',
  },
}

/** A person besides the owner: what `cli` may, under a name of their own. */
const ofAnna = (text: string) => text.replaceAll('cli', 'cli-anna')
const anna = JSON.parse(ofAnna(JSON.stringify(fixed['cli']))) as Row
const table: Readonly<Record<string, Row>> = { ...fixed, 'cli-anna': anna }

// Strict: a stream export, a deny rule, a default permission or a mapping would not parse.
const allowSchema = z.strictObject({ allow: z.array(z.string()).min(1) })
const accountSchema = z.strictObject({
  limits: z.strictObject({ max_connections: z.number(), max_subscriptions: z.number() }).optional(),
  exports: z
    .array(z.strictObject({ service: z.string(), accounts: z.array(z.string()).length(1) }))
    .default([]),
  imports: z
    .array(
      z.strictObject({
        service: z.strictObject({ account: z.string(), subject: z.string() }),
        to: z.string(),
      }),
    )
    .default([]),
  users: z
    .array(
      z.strictObject({
        nkey: z.string(),
        allowed_connection_types: z.tuple([z.literal('STANDARD')]),
        permissions: z.strictObject({
          publish: allowSchema,
          subscribe: allowSchema,
          allow_responses: z.strictObject({ max: z.literal(1), expires: z.string() }).optional(),
        }),
      }),
    )
    .max(1)
    .default([]),
})
const configSchema = z.strictObject({
  server_name: z.string(),
  listen: z.string(),
  max_payload: z.number(),
  max_pending: z.number(),
  max_connections: z.number(),
  max_subscriptions: z.number(),
  write_deadline: z.string(),
  ping_interval: z.string(),
  ping_max: z.number(),
  tls: z.strictObject({
    min_version: z.literal('1.3'),
    handshake_first: z.literal(true),
    verify: z.literal(true),
    timeout: z.number(),
    ca_file: z.string(),
    cert_file: z.string(),
    key_file: z.string(),
  }),
  authorization: z.strictObject({ timeout: z.number() }),
  system_account: z.literal('sys'),
  accounts: z.record(z.string(), accountSchema),
})

const sorted = (names: readonly string[] = []) =>
  names.toSorted((one, other) => (one < other ? -1 : 1))

let state: string
let text: string
let config: z.infer<typeof configSchema>

beforeAll(async () => {
  // A blank, a quote and a backslash: what a person's folder may be called.
  state = await mkdtemp(join(tmpdir(), 'bulkhead "home" \\ '))
  await prepareIdentities({
    state,
    deployment: 'abcd1234',
    replicas,
    users: ['anna'],
    bus: { host: '127.0.0.1', port: 4333 },
  })
  text = await readFile(join(state, 'nats', 'nats.conf'), 'utf8')
  config = configSchema.parse(parseNatsConf(text))
})
afterAll(() => rm(state, { recursive: true, force: true }))

describe('the generated configuration of the bus', () => {
  it('has exactly the accounts of the table', () => {
    expect(sorted(Object.keys(config.accounts))).toEqual(sorted(Object.keys(table)))
  })

  it.each(Object.keys(table))('lets %s import exactly the calls of the table', (name) => {
    const imports = config.accounts[name]?.imports ?? []
    const found = imports.map(({ service, to }) => [to, [service.account, service.subject]])
    expect(found.length).toBe(Object.keys(table[name]?.calls ?? {}).length)
    expect(Object.fromEntries(found)).toEqual(table[name]?.calls)
  })

  it.each(Object.keys(table))('gives the user of %s exactly the rights of the table', (name) => {
    const row = table[name]
    const users = config.accounts[name]?.users ?? []
    if (row?.subscribes === undefined) {
      expect(users).toEqual([])
      return
    }
    const permissions = users[0]?.permissions
    // A server of ours may answer whenever it likes; an agent once, in time, and what it was sent.
    const answers = row.replies === 'at any time' ? ['_R_.>'] : []
    expect(sorted(permissions?.publish.allow)).toEqual(
      sorted([...Object.keys(row.calls), ...answers, ...(row.asks ?? [])]),
    )
    expect(sorted(permissions?.subscribe.allow)).toEqual(sorted(row.subscribes))
    expect(permissions?.allow_responses?.expires).toBe(
      row.replies === 'at any time' ? undefined : row.replies,
    )
  })

  it('exports each service once, to the one account that imports it', () => {
    const exported = Object.entries(config.accounts).flatMap(([account, { exports }]) =>
      exports.map(({ service, accounts }) => `${account} ${service} -> ${accounts.join(' ')}`),
    )
    const called = Object.entries(table).flatMap(([caller, { calls }]) =>
      Object.values(calls).map(([account, subject]) => `${account} ${subject} -> ${caller}`),
    )
    expect(sorted(exported)).toEqual(sorted(called))
  })

  it('gives every user a key of its own', () => {
    const keys = Object.values(config.accounts).flatMap(({ users }) =>
      users.map(({ nkey }) => nkey),
    )
    expect(keys.length).toBe(9)
    expect(new Set(keys).size).toBe(9)
    expect(keys.every((key) => /^U[A-Z2-7]{55}$/.test(key))).toBe(true)
  })

  it('has no wildcard that spans levels but inboxes and the replies of our own servers', () => {
    const rights = Object.entries(config.accounts).flatMap(([account, { users }]) =>
      users.flatMap(({ permissions }) =>
        [...permissions.publish.allow, ...permissions.subscribe.allow].map((subject) => ({
          account,
          subject,
        })),
      ),
    )
    const wide = rights.filter(({ subject }) => subject.includes('>'))
    const replying = wide.filter(({ subject }) => subject === '_R_.>')
    expect(sorted(replying.map(({ account }) => account))).toEqual([
      'notary',
      'supervisor',
      'worker',
    ])
    const inboxes = wide.filter((right) => !replying.includes(right))
    expect(inboxes.every(({ account, subject }) => subject === `_INBOX_${account}.>`)).toBe(true)
  })

  it('listens on loopback only, with TLS 1.3 first and client certificates', () => {
    expect(config.listen).toBe('127.0.0.1:4333')
    expect(config.tls.ca_file).toBe(join(state, 'nats', 'ca.pem'))
    // configSchema is strict: nothing else is configured, so monitoring, JetStream, MQTT, WebSocket,
    // leafnodes, gateways, clusters, pid file and default users are off.
    expect(text).not.toMatch(/no_auth_user|verify_and_map|deny|stream:|http|jetstream/i)
  })

  it('lets nobody but the watch near the services of the server itself', () => {
    const holders = Object.entries(config.accounts).filter(([, account]) =>
      JSON.stringify(account).includes('$SYS'),
    )
    expect(holders.map(([name]) => name)).toEqual(['sys'])
    expect(text.match(/\$SYS/g)).toHaveLength(2)
  })

  it('lets every party have its connections even when each agent takes all of its own', () => {
    const each = Object.values(config.accounts).map(({ limits }) => limits?.max_connections ?? 0)
    expect(config.max_connections).toBeGreaterThan(each.reduce((sum, one) => sum + one, 0))
    expect(config.max_payload).toBe(2 * 1024 * 1024)
  })
})

describe('deriveAccounts', () => {
  const replicaLists = fc.uniqueArray(
    fc.record({
      agent: fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/),
      n: fc.integer({ min: 0, max: 40 }),
    }),
    { maxLength: 12, selector: ({ agent, n }) => `${agent} ${n}` },
  )

  it('joins no two agents, whatever they are called', () => {
    fc.assert(
      fc.property(replicaLists, (list) => {
        const accounts = deriveAccounts(list)
        expect(new Set(accounts.map(({ name }) => name)).size).toBe(accounts.length)
        for (const account of accounts.filter(({ name }) => name.startsWith('agent_'))) {
          expect(account.imports.map(({ server }) => server)).toEqual(['notary'])
          expect(account.exports.map(({ caller }) => caller)).toEqual(['worker'])
          expect(account.publish).toEqual(['evt'])
          expect(account.subscribe).toEqual(['exec'])
        }
      }),
    )
  })

  it.each(['Calendar', 'a.b', 'a b', 'a_b', '', '>', '*', '1a', 'a"', 'a'.repeat(40), 'é'])(
    'refuses the agent name %j, which would reach subjects and folders',
    (agent) => {
      expect(() => deriveAccounts([{ agent, n: 1 }])).toThrow(
        expect.objectContaining({ code: 'INVALID' }),
      )
    },
  )

  it.each([-1, 1.5, Number.NaN, 1e9])('refuses the replica number %d', (n) => {
    expect(() => deriveAccounts([{ agent: 'notes', n }])).toThrow(
      expect.objectContaining({ code: 'INVALID' }),
    )
  })

  it('refuses a replica named twice', () => {
    const replica = { agent: 'notes', n: 1 }
    expect(() => deriveAccounts([replica, replica])).toThrow(
      expect.objectContaining({ code: 'INVALID' }),
    )
  })
})
