// Who may say what on the bus (contracts.md), as data: one account per party, joined only by
// services. Pure. A route is written once; export, import and both users' rights follow from it, so
// that they cannot disagree. No stream exports: the server rewrites the reply subject of a service
// and not that of a stream, and an agent could make others answer on subjects of its choice.

import { ownerId, userIdSchema } from '../people.ts'
import { PkiError } from './pki-error.ts'

export interface Replica {
  readonly agent: string
  /** Number within the pool, from 0 or 1 upwards; unique across users. */
  readonly n: number
}

/** One call: `caller` publishes on `as`, the server delivers it as `subject` in `server`. */
export interface Route {
  readonly server: string
  readonly subject: string
  readonly caller: string
  readonly as: string
}

export interface Account {
  readonly name: string
  /** False: the account exists with its imports, but has no user, so nobody can connect as it. */
  readonly inUse: boolean
  readonly exports: readonly Route[]
  readonly imports: readonly Route[]
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
  /** How long one reply to a delivered message is permitted; undefined: it serves nothing. */
  readonly replySeconds: number | undefined
  readonly maxConnections: number
}

/** Each call of the notary, and the accounts that may make it; where `cli` may, each person's may. */
const notaryCalls = {
  request: ['cli', 'console', 'ingress'],
  admit: ['worker'],
  authorize: ['worker'],
  settle: ['worker'],
  cancel: ['cli', 'console'],
  recover: ['cli', 'console'],
  schedule: ['cli', 'console'],
  approve: ['cli', 'console', 'ingress'],
  boot: ['supervisor'],
  event: ['supervisor', 'gateway'],
  quarantine: ['supervisor'],
  query: ['cli', 'console'],
  head: ['worker', 'cli', 'console'],
} as const

interface Party {
  readonly name: string
  readonly inUse: boolean
  /** What it may subscribe to besides its own inbox. */
  readonly serves: readonly string[]
}

const fixedParties: readonly Party[] = [
  // The wildcards cover exactly the exports below: nothing else can be delivered to these accounts.
  { name: 'notary', inUse: true, serves: ['notary.*.*', 'evt.*.*'] },
  { name: 'worker', inUse: true, serves: ['worker.artifact.*.*', 'worker.retrieve.*'] },
  {
    name: 'supervisor',
    inUse: true,
    serves: [
      ...['supervisor.ensure', 'supervisor.quarantine', 'supervisor.heartbeat', 'supervisor.pool'],
      'supervisor.retriever',
    ],
  },
  { name: 'cli', inUse: true, serves: [] },
  // Their rights are fixed; a user comes with the process: the gateway's where some agent declares
  // egress, the others' with later issues.
  { name: 'console', inUse: false, serves: [] },
  { name: 'ingress', inUse: false, serves: [] },
  { name: 'gateway', inUse: false, serves: [] },
  // Will hold the streams INGEST and EVENTS, which capture the two subjects exported below. Not yet:
  // JetStream itself, and the literal `$JS.API` services with which worker and console consume them.
  { name: 'streams', inUse: false, serves: [] },
]

/** Where the server's own events and its `$SYS` services stay; of the supervisor's watch alone. */
export const systemAccount = 'sys'

/**
 * To see who connects: the server tells of each connection, and says on request from where it came.
 * None of the other services of the system account, which could move or end connections.
 */
const systemUser: Account = {
  name: systemAccount,
  inUse: true,
  exports: [],
  imports: [],
  publish: ['$SYS.REQ.SERVER.PING.CONNZ'],
  subscribe: ['$SYS.ACCOUNT.*.CONNECT', `_INBOX_${systemAccount}.>`],
  replySeconds: undefined,
  maxConnections: 2,
}

// Short enough that a reply from a compromised responder cannot be kept for later; longer than any
// deadline of ours (agents reply within 15 s, the supervisor's ensure waits for a cold start).
const agentReplySeconds = 30
const serverReplySeconds = 60

// An agent needs one connection; the second lets a new boot in while the server still believes in
// the killed one. The CLI is one connection per command typed, watched runs included. The others
// need one and reconnect.
const agentConnections = 2
const cliConnections = 32
const serverConnections = 4

/** `agent_<name>_<n>`: names have no underscore, so two replicas never share an account. */
export function agentAccountName({ agent, n }: Replica): string {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(agent)) {
    throw new PkiError('INVALID', `agent name does not fit an account name: ${agent.slice(0, 40)}`)
  }
  if (!Number.isSafeInteger(n) || n < 0 || n > 9_999) {
    throw new PkiError('INVALID', `replica number of ${agent} is not a small whole number`)
  }
  return `agent_${agent}_${n}`
}

/** Of a person who is not the owner: what their commands connect as. */
export function personAccountName(id: string): string {
  if (!userIdSchema.safeParse(id).success || id === ownerId) {
    throw new PkiError('INVALID', `no account can be named after ${id.slice(0, 40)}`)
  }
  return `cli-${id}`
}

/**
 * The whole table for these replicas and people. The gateway has a user only where some agent may ask
 * it; the owner is always there, `users` are the ids of the others.
 * @throws PkiError INVALID for a name or number that must not reach the configuration, or a replica or
 * person named twice
 */
export function deriveAccounts(
  replicas: readonly Replica[],
  used: { readonly gateway: boolean; readonly users?: readonly string[] } = { gateway: false },
): readonly Account[] {
  const agents = replicas.map(agentAccountName)
  const people = (used.users ?? []).map(personAccountName)
  if (new Set(agents).size !== agents.length) {
    throw new PkiError('INVALID', 'a replica is named twice')
  }
  if (new Set(people).size !== people.length) {
    throw new PkiError('INVALID', 'a person is named twice')
  }
  const routes = [...fixedRoutes(people), ...replicas.flatMap(agentRoutes)]
  const toAccount = (party: Party, kind: 'server' | 'agent'): Account => {
    const imports = routes.filter((route) => route.caller === party.name)
    return {
      name: party.name,
      inUse: party.inUse || (party.name === 'gateway' && used.gateway),
      exports: routes.filter((route) => route.server === party.name),
      imports,
      publish: imports.map((route) => route.as),
      // An agent waits for no reply, so it has no inbox.
      subscribe: kind === 'agent' ? party.serves : [...party.serves, `_INBOX_${party.name}.>`],
      replySeconds: replySecondsOf(party, kind),
      maxConnections: connectionsOf(party, kind),
    }
  }
  return [
    ...fixedParties.map((party) => toAccount(party, 'server')),
    ...people.map((name) => toAccount({ name, inUse: true, serves: [] }, 'server')),
    ...agents.map((name) => toAccount({ name, inUse: true, serves: ['exec'] }, 'agent')),
    systemUser,
  ]
}

function fixedRoutes(people: readonly string[]): readonly Route[] {
  const calls = Object.entries(notaryCalls).flatMap(([call, callers]) =>
    [...callers, ...(callers.some((caller) => caller === 'cli') ? people : [])].map((caller) =>
      perCaller('notary', `notary.${call}`, caller),
    ),
  )
  const worker = ['cli', 'console', ...people].flatMap((caller) => [
    perCaller('worker', 'worker.artifact.get', caller),
    perCaller('worker', 'worker.artifact.put', caller),
    perCaller('worker', 'worker.retrieve', caller),
  ])
  return [
    ...calls,
    ...worker,
    literal('supervisor', 'supervisor.ensure', 'worker'),
    literal('supervisor', 'supervisor.pool', 'worker'),
    literal('supervisor', 'supervisor.retriever', 'worker'),
    literal('supervisor', 'supervisor.quarantine', 'notary'),
    literal('supervisor', 'supervisor.heartbeat', 'notary'),
    literal('streams', 'ingest', 'ingress'),
    literal('streams', 'events', 'notary'),
  ]
}

/** The server appends the caller's account, so that the responder knows who called. */
function perCaller(server: string, subject: string, caller: string): Route {
  return { server, subject: `${subject}.${caller}`, caller, as: subject }
}

/** For a call with one caller only: the subject is the same on both sides. */
function literal(server: string, subject: string, caller: string): Route {
  return { server, subject, caller, as: subject }
}

function agentRoutes(replica: Replica): readonly Route[] {
  const account = agentAccountName(replica)
  const name = `${replica.agent}.${replica.n}`
  return [
    { server: account, subject: 'exec', caller: 'worker', as: `agent.${name}.exec` },
    { server: 'notary', subject: `evt.${name}`, caller: account, as: 'evt' },
  ]
}

function replySecondsOf(party: Party, kind: 'server' | 'agent'): number | undefined {
  if (kind === 'agent') return agentReplySeconds
  return party.serves.length > 0 ? serverReplySeconds : undefined
}

function connectionsOf(party: Party, kind: 'server' | 'agent'): number {
  if (kind === 'agent') return agentConnections
  return /^cli(-|$)/.test(party.name) ? cliConnections : serverConnections
}
