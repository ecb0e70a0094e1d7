// What the gateway is started with: every declaration of every manifest, its hosts and credentials
// as `bulkhead.yaml` sets them, one socket for each replica that may ask. Whether a request fits is the
// gateway's question; here it is only said which manifest and which setting answer it. The credential
// itself goes into a file that only the gateway gets.

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { GatewayAgent, GatewayConfig, ResolvedEgress } from '../egress/contract.ts'
import { choicesOf } from '../plan/egress-declaration.ts'
import type { AgentManifest, Catalogue, EgressDeclaration } from '../plan/manifest.ts'
import { parseOrigin, toOrigin } from '../security/host.ts'
import type { BootFacts } from './agent-files.ts'
import { SupervisorError } from './codes.ts'
import type { Settings } from './configuration.ts'
import { folderFor, give, type Owner, writeFor } from './ownership.ts'
import { resolveSecret, type SecretSources } from './secrets.ts'
import type { ReplicaAddress, StateLayout } from './state.ts'

/** What a replica's sandbox and the gateway share. */
export interface EgressDoor {
  readonly socket: string
  readonly epochFile: string
  readonly nkeyFile: string
  /** The gateway. */
  readonly reader: Owner
}

export interface EgressInput {
  readonly layout: StateLayout
  readonly deployment: string
  readonly catalogue: Catalogue
  /** What is set for this replica: by the house, or by whose it is. */
  readonly settingsOf: (address: ReplicaAddress) => Settings
  readonly replicas: readonly ReplicaAddress[]
  /** Folder of the sockets. */
  readonly sockets: string
  /** The gateway's user. */
  readonly gateway: Owner
  readonly secrets: SecretSources
}

const hasEgress = (manifest: AgentManifest | undefined): boolean =>
  (manifest?.egress ?? []).length > 0

/** The gateway is started, and exists as a user of the bus, only when somebody may ask it. */
export function needsGateway(catalogue: Catalogue): boolean {
  return [...catalogue.values()].some(hasEgress)
}

/** Relative to the sockets' folder, in a folder that the gateway may write to. */
export function egressSocketName({ agent, n }: ReplicaAddress): string {
  return join(egressFolder, `${agent}.${n}.sock`)
}

const egressFolder = 'egress'

/** Undefined for an agent that declares no egress: its sandbox gets no socket. */
export function doorOf(
  address: ReplicaAddress,
  manifest: AgentManifest,
  places: Pick<EgressInput, 'layout' | 'sockets' | 'gateway'>,
): EgressDoor | undefined {
  if (!hasEgress(manifest)) return undefined
  return {
    socket: join(places.sockets, egressSocketName(address)),
    epochFile: join(places.layout.gateway, 'epochs', `${address.agent}.${address.n}`),
    nkeyFile: join(places.layout.gateway, 'epochs', `${address.agent}.${address.n}.nkey`),
    reader: places.gateway,
  }
}

/** Before the sandbox starts: from here on tokens of this epoch, and of no other, open the door. */
export function announceEpoch(
  door: EgressDoor | undefined,
  { bootEpoch, nkey }: Pick<BootFacts, 'bootEpoch' | 'nkey'>,
): void {
  if (door === undefined) return
  // The key first: it is asked for when there is an epoch.
  writeFor(door.reader, door.nkeyFile, nkey, 0o600)
  writeFor(door.reader, door.epochFile, bootEpoch, 0o600)
}

export function withdrawEpoch(door: EgressDoor | undefined): void {
  if (door !== undefined) rmSync(door.epochFile, { force: true })
}

/**
 * Writes secrets into files and returns the gateway's configuration.
 * @throws SupervisorError CONFIG_INVALID
 */
export function prepareGateway(input: EgressInput): GatewayConfig {
  const { layout, deployment, catalogue } = input
  removeGatewaySecrets(layout)
  const epochs = join(layout.gateway, 'epochs')
  // Of a killed supervisor: nothing runs yet.
  rmSync(epochs, { recursive: true, force: true })
  folderFor(input.gateway, layout.gateway)
  for (const folder of [epochs, secretsOf(layout)]) folderFor(input.gateway, folder)
  const doors = join(input.sockets, egressFolder)
  rmSync(doors, { recursive: true, force: true })
  mkdirSync(doors, { recursive: true, mode: 0o700 })
  give(doors, input.gateway)
  const agents = input.replicas.flatMap((address): GatewayAgent[] => {
    const manifest = catalogue.get(address.agent)
    const door = manifest && doorOf(address, manifest, input)
    return manifest === undefined || door === undefined
      ? []
      : [toGatewayAgent(address, manifest, door, input)]
  })
  return {
    deployment,
    issuer: `notary:${deployment}`,
    bus: join(layout.gateway, 'bus'),
    tokenKeys: layout.tokenKeys,
    agents,
  }
}

const secretsOf = (layout: StateLayout) => join(layout.gateway, 'secrets')

export function removeGatewaySecrets(layout: StateLayout): void {
  rmSync(secretsOf(layout), { recursive: true, force: true })
}

function toGatewayAgent(
  address: ReplicaAddress,
  manifest: AgentManifest,
  door: EgressDoor,
  input: EgressInput,
): GatewayAgent {
  return {
    ...address,
    socket: door.socket,
    epochFile: door.epochFile,
    nkeyFile: door.nkeyFile,
    egress: (manifest.egress ?? []).map((one) => resolveDeclaration(address, one, input)),
    actions: Object.fromEntries(
      Object.entries(manifest.actions).map(([name, { egress = [] }]) => [name, egress]),
    ),
    choices: choicesOf(manifest.actions),
  }
}

function resolveDeclaration(
  address: ReplicaAddress,
  declaration: EgressDeclaration,
  input: EgressInput,
): ResolvedEgress {
  const { id, allow, pin, credential, privateAddress = false } = declaration
  const { onlyPrivate, requestMs } = declaration
  const setting = typeof declaration.host === 'string' ? undefined : declaration.host.config
  return {
    id,
    origins: originsOf(declaration, input.settingsOf(address)),
    allow,
    privateAddress,
    ...(onlyPrivate === undefined ? {} : { onlyPrivate }),
    ...(requestMs === undefined ? {} : { requestMs }),
    ...(setting === undefined ? {} : { setting }),
    ...(pin === undefined ? {} : { pin }),
    ...(credential === undefined
      ? {}
      : { credential: { as: credential.as, file: writeSecret(address, declaration, input) } }),
  }
}

function writeSecret(
  address: ReplicaAddress,
  { id, credential }: EgressDeclaration,
  input: EgressInput,
) {
  // One for each replica: those of a person's own have another credential.
  const file = join(secretsOf(input.layout), `${address.agent}.${address.n}.${id}`)
  const key = credential?.secret.config ?? ''
  const reference = input.settingsOf(address).value(key)
  // Not set: the file is absent, and the gateway refuses for want of it.
  if (reference === undefined) return file
  const secret = resolveSecret(key, reference, input.secrets)
  writeFor(input.gateway, file, secret, 0o400)
  return file
}

/** Origins of a declaration, in the form in which the gateway compares them; none when not set. */
export function originsOf(
  { host, port, protocol, credential }: EgressDeclaration,
  settings: Pick<Settings, 'value'>,
): readonly string[] {
  if (typeof host === 'string') return [toOrigin(protocol, host, port).text]
  const value = settings.value(host.config)
  if (value === undefined) return []
  return value.split(',').map((part) => {
    const parsed = parseOrigin(part.trim())
    if (!parsed.ok) {
      throw refuseOrigin(
        host.config,
        `${part.trim()} is refused as written (${parsed.fault})`,
        protocol,
      )
    }
    const { origin } = parsed
    if ((origin.protocol === 'tls') !== (protocol === 'tls')) {
      throw refuseOrigin(host.config, `${origin.text} is no ${protocol} origin`, protocol)
    }
    // In clear only to an address that the person wrote down, or where the manifest says http.
    if (origin.protocol === 'http' && protocol === 'https' && !origin.literal) {
      throw refuseOrigin(host.config, `${origin.text} is not encrypted`)
    }
    if (origin.protocol === 'http' && credential !== undefined && !origin.literal) {
      throw refuseOrigin(host.config, `${origin.text} would get a credential in clear`)
    }
    return origin.text
  })
}

function refuseOrigin(key: string, reason: string, protocol = 'https'): SupervisorError {
  return new SupervisorError('CONFIG_INVALID', `${key}: ${reason}`, {
    next: `set ${key} in bulkhead.yaml to ${protocol === 'tls' ? 'tls://<host>:<port>' : 'https://<host>[:<port>]'}, several with commas`,
  })
}
