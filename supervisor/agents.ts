// Brings the agents of a deployment into being: one replica object for each that the manifests
// declare, the leftovers of a killed supervisor ended, `supervisor.ensure` served on the bus. No
// sandbox is started here but those that are always on.

import { join } from 'node:path'
import type { Catalogue } from '../plan/manifest.ts'
import { storageBytesOf } from '../plan/sandbox-declaration.ts'
import type { Bus } from '../security/bus.ts'
import { endLeftover } from './boot-record.ts'
import type { SupervisorError } from './codes.ts'
import { grantedFolders, grantedPrograms, grantedSecrets } from './configuration.ts'
import { doorOf } from './egress.ts'
import type { NotaryPort } from './notary-port.ts'
import { type AgentPool, createPool, type PoolMember } from './pool.ts'
import type { Preparation } from './prepare.ts'
import { createReplica } from './replica.ts'
import type { Roads } from './roads.ts'
import { limitsOf } from './sandbox/oci-spec.ts'
import type { SecretSources } from './secrets.ts'
import type { ReplicaAddress } from './state.ts'
import type { Unwind } from './unwind.ts'

export interface AgentsInput {
  readonly prepared: Preparation
  readonly catalogue: Catalogue
  readonly bus: Bus
  readonly notary: NotaryPort
  readonly unwind: Unwind
  readonly secrets: SecretSources
  readonly roadsOf: (address: ReplicaAddress) => Roads
  readonly barred: (address: ReplicaAddress) => SupervisorError | undefined
  /** Of nats-server on loopback. */
  readonly port: number
}

export async function startAgents(input: AgentsInput): Promise<AgentPool> {
  const { prepared, notary, unwind } = input
  await Promise.all(
    prepared.replicas.map((address) =>
      endLeftover({ address, layout: prepared.layout.replica(address) }, notary).catch((err) =>
        // Harmless: the notary only believes in an agent that nobody can reach.
        prepared.journal.logger.warn({ ...address, err }, 'end of an earlier start not recorded'),
      ),
    ),
  )
  const members = prepared.replicas.flatMap((address) => toMember(address, input))
  const pool = createPool(members, (agent, error) => {
    prepared.journal.logger.error({ agent, err: error }, 'agent did not start')
  })
  unwind.add('agents', () => pool.stop())
  input.bus.serve('supervisor.ensure', ({ payload }) => pool.ensure(payload), {
    type: 'TASK_RESPONSE',
    onMalformed: (code) => ({ status: 'FAILED', code, message: 'the message was not understood' }),
  })
  pool.begin()
  return pool
}

function toMember(address: ReplicaAddress, input: AgentsInput): readonly PoolMember[] {
  const { prepared, notary } = input
  const manifest = input.catalogue.get(address.agent)
  if (manifest === undefined) return []
  const name = `${address.agent}.${address.n}`
  const replica = createReplica({
    address,
    layout: prepared.layout.replica(address),
    deployment: prepared.deployment,
    tokenKeys: prepared.layout.tokenKeys,
    socket: join(prepared.sockets, `${name}.sock`),
    egress: doorOf(address, manifest, { ...prepared, gateway: prepared.owners.of('gateway') }),
    owners: prepared.owners,
    state: prepared.layout.root,
    bus: { host: '127.0.0.1', port: input.port },
    roads: input.roadsOf(address),
    barred: () => input.barred(address),
    bundle: prepared.bundleOf(manifest),
    addon: prepared.addon,
    runtime: prepared.runtime,
    granted: () => grantedFolders(manifest, prepared.settingsOf(address)),
    secrets: () => grantedSecrets(manifest, prepared.settingsOf(address), input.secrets),
    storage: { bytes: storageBytesOf(manifest), volumes: prepared.volumes },
    limits: limitsOf(manifest),
    programs:
      manifest.programs === undefined
        ? undefined
        : () => grantedPrograms(manifest, prepared.settingsOf(address)),
    driver: prepared.driver,
    notary,
    log: prepared.journal.logOf(`agent-${name}`),
    now: Date.now,
    onStart: ({ bootEpoch, tookMs }) => {
      prepared.journal.logger.info({ agent: name, bootEpoch, tookMs }, 'agent started')
    },
    onExcess: ({ folder, bytes, entries }) => {
      prepared.journal.logger.warn({ agent: name, folder, bytes, entries }, 'agent over its quota')
      const summary = { event: 'over-quota', bytes, entries }
      void notary.event({ kind: 'security', subject: `agent:${name}`, summary })
    },
    onCrash: () => {
      prepared.journal.logger.warn({ agent: name }, 'agent ended by itself')
      const summary = { event: 'ended' }
      void notary.event({ kind: 'life-cycle', subject: `agent:${name}`, summary })
    },
  })
  return [{ manifest, replica }]
}
