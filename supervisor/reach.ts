// What each agent can reach, derived in one place from manifests and configuration: what its tokens may
// ask for, its account on the bus, its folders, its hosts, its programs. Pure. The same functions give the bus
// server, the sandbox and the gateway what they enforce; the tests compare all of them with this. Says
// nothing about what an agent does within its reach.

import type { AgentManifest, Catalogue, EgressDeclaration } from '../plan/manifest.ts'
import { type Account, agentAccountName } from '../security/pki/accounts.ts'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import { digestOf } from '../security/verify/hash.ts'
import type { Settings } from './configuration.ts'
import { originsOf } from './egress.ts'
import type { ReplicaAddress } from './state.ts'

export interface EgressReach {
  readonly id: string
  /** `https://host[:port]`; empty where the setting is not made. */
  readonly origins: readonly string[]
  /** RFC 8785 text of each rule. */
  readonly allow: readonly string[]
  readonly privateAddress: boolean
  /** The server's key is not pinned: any certificate of the host's chain will do. */
  readonly anyKey: boolean
  /** Setting that names the credential which the gateway adds. */
  readonly credential: string | null
}

export interface AgentReach {
  readonly token: {
    /** Of every token, before the epoch. */
    readonly audience: string
    readonly actions: readonly {
      readonly name: string
      readonly effect: string
      readonly egress: readonly string[]
    }[]
  }
  readonly bus: {
    readonly account: string
    readonly publish: readonly string[]
    readonly subscribe: readonly string[]
  }
  readonly mounts: readonly {
    readonly from: string
    /** Null where the setting is not made: the agent does not start then. */
    readonly folder: string | null
    readonly at: string
    readonly mode: 'ro' | 'rw'
  }[]
  readonly egress: readonly EgressReach[]
  /** Settings whose secrets its sandbox is given. */
  readonly secrets: readonly string[]
  /** Configured programs that it may run. */
  readonly programs: readonly { readonly name: string; readonly file: string }[]
}

export interface Reach {
  readonly version: 1
  /** By `<agent>.<n>`. */
  readonly agents: Readonly<Record<string, AgentReach>>
}

export interface ReachInput {
  readonly catalogue: Catalogue
  /** What is set for this replica: by the house, or by whose it is. */
  readonly settingsOf: (address: ReplicaAddress) => Settings
  readonly replicas: readonly ReplicaAddress[]
  readonly accounts: readonly Account[]
}

/** @throws SupervisorError CONFIG_INVALID for an origin that is refused as written */
export function deriveReach({ catalogue, replicas, ...input }: ReachInput): Reach {
  const agents = replicas.flatMap((address) => {
    const manifest = catalogue.get(address.agent)
    if (manifest === undefined) return []
    return [[`${address.agent}.${address.n}`, reachOf(address, manifest, input)] as const]
  })
  return { version: 1, agents: Object.fromEntries(agents) }
}

function reachOf(
  address: ReplicaAddress,
  manifest: AgentManifest,
  { settingsOf, accounts }: Pick<ReachInput, 'settingsOf' | 'accounts'>,
): AgentReach {
  const settings = settingsOf(address)
  const account = agentAccountName(address)
  const rights = accounts.find(({ name }) => name === account)
  return {
    token: {
      audience: `agent:${address.agent}.${address.n}`,
      actions: Object.entries(manifest.actions).map(([name, { effect, egress = [] }]) => ({
        ...{ name, effect, egress },
      })),
    },
    bus: { account, publish: rights?.publish ?? [], subscribe: rights?.subscribe ?? [] },
    mounts: manifest.mounts.map(({ from, at, mode }) => ({
      from: from.config,
      folder: settings.folder(from.config) ?? null,
      ...{ at, mode },
    })),
    egress: egressReach(manifest, settings),
    secrets: (manifest.secrets ?? []).map(({ from }) => from.config),
    programs: (manifest.programs ?? []).flatMap(({ name, from }) => {
      const file = settings.value(from.config)
      return file === undefined ? [] : [{ name, file }]
    }),
  }
}

/** The hosts of an agent, as configured. @throws SupervisorError CONFIG_INVALID */
export function egressReach(
  { egress = [] }: Pick<AgentManifest, 'egress'>,
  settings: Pick<Settings, 'value'>,
): readonly EgressReach[] {
  return egress.map((declaration: EgressDeclaration) => ({
    id: declaration.id,
    origins: originsOf(declaration, settings),
    allow: declaration.allow.map((rule) => canonicalJson(rule)),
    privateAddress: declaration.privateAddress ?? false,
    anyKey: declaration.pin === undefined,
    credential: declaration.credential?.secret.config ?? null,
  }))
}

/** SHA-256 of the RFC 8785 text. */
export function digestOfReach(reach: Reach): string {
  return digestOf(reach)
}

/** Every single thing that an agent can reach, one line each: less reach is fewer lines. */
export function linesOfReach({
  token,
  bus,
  mounts,
  egress,
  secrets,
  programs,
}: AgentReach): readonly string[] {
  return [
    ...token.actions.flatMap(({ name, effect, egress: ids }) => [
      `do ${name} as ${effect}`,
      ...ids.map((id) => `ask ${id} in ${name}`),
    ]),
    ...bus.publish.map((subject) => `publish ${subject}`),
    ...bus.subscribe.map((subject) => `subscribe ${subject}`),
    ...mounts.flatMap(({ folder, at, mode }) =>
      folder === null
        ? []
        : [`read ${folder} at ${at}`, ...(mode === 'rw' ? [`write ${folder} at ${at}`] : [])],
    ),
    ...secrets.map((setting) => `be given ${setting}`),
    ...programs.map(({ name, file }) => `run ${file} as ${name}`),
    ...egress.flatMap(({ id, origins, allow, privateAddress, anyKey, credential }) =>
      origins.flatMap((origin) => [
        ...allow.map((rule) => `request ${origin} by ${id}: ${rule}`),
        ...(privateAddress ? [`request ${origin} by ${id} at a private address`] : []),
        ...(anyKey ? [`request ${origin} by ${id} of any key`] : []),
        ...(credential === null ? [] : [`request ${origin} by ${id} with ${credential}`]),
      ]),
    ),
  ]
}

/** What each replica can reach now and could not when `accepted` was; empty where nothing grew. */
export function growthOf(accepted: Reach, now: Reach): ReadonlyMap<string, readonly string[]> {
  const grown = Object.entries(now.agents).map(([name, reach]) => {
    const before = Object.hasOwn(accepted.agents, name) ? accepted.agents[name] : undefined
    const known = new Set(before === undefined ? [] : linesOfReach(before))
    return [name, linesOfReach(reach).filter((line) => !known.has(line))] as const
  })
  return new Map(grown.filter(([, lines]) => lines.length > 0))
}
