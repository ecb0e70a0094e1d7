// A deployment between its first process and its last: what it consists of so far, and how one more
// process becomes part of it. Each says how to undo itself at the moment it is started.

import { join } from 'node:path'
import type { Successor } from '../security/pki/successor.ts'
import type { AgentNews } from './agent-news.ts'
import type { BusServer, ReloadNews } from './bus-server.ts'
import type { Containment } from './containment.ts'
import type { Enrolment } from './enrolment.ts'
import type { NotaryPort } from './notary-port.ts'
import { type Party, writeFor } from './ownership.ts'
import type { AgentPool } from './pool.ts'
import type { Preparation, PrepareOptions } from './prepare.ts'
import { createManagedProcess, type ManagedProcess, type ProcessPlan } from './process.ts'
import type { Rotations } from './rotation/orchestrator.ts'
import { ownPlan } from './servers.ts'
import type { StartAs } from './start-as.ts'
import type { Unwind } from './unwind.ts'

/** What grows while the deployment starts and is looked at through the control socket. */
export interface Live {
  readonly prepared: Preparation
  readonly unwind: Unwind
  readonly processes: Map<string, ManagedProcess>
  readonly links: Record<string, string>
  ready: boolean
  readonly gateway: boolean
  pool: AgentPool | undefined
  notary: NotaryPort | undefined
  /** The bus server from outside: what it accepts can be changed while it runs. */
  busServer: BusServer | undefined
  readonly containment: Containment
  readonly news: AgentNews
  busNews: ReloadNews
  rotations: Rotations | undefined
  enrolment: Enrolment | undefined
  /** A rotation of an earlier start that was carried through before anything ran. */
  finished: Successor | undefined
}

export const startAs = ({ prepared }: Live, party: Party): StartAs => ({
  user: prepared.owners.of(party),
  surroundings: prepared.surroundings,
})

/** One of our own programs, with its configuration in its folder. */
export async function startOwn(
  live: Live,
  options: PrepareOptions,
  program: {
    readonly name: 'notary' | 'gateway' | 'worker'
    readonly entry: string
    readonly config: unknown
  },
): Promise<void> {
  const { layout } = live.prepared
  const configFile = join(layout.root, program.name, 'config.json')
  const as = startAs(live, program.name)
  writeFor(as.user, configFile, `${JSON.stringify(program.config, null, 2)}\n`, 0o600)
  const { childEnvironment: environment } = options.environment
  const input = { layout, environment, as, entry: program.entry, configFile }
  await startProcess(live, ownPlan(program.name, input))
}

/** Starts a process and has it started again for as long as the deployment runs. */
export async function startProcess(live: Live, plan: ProcessPlan): Promise<void> {
  const { journal } = live.prepared
  const process = createManagedProcess(plan, {
    log: plan.name === 'nats-server' ? live.busNews.log : journal.logOf(plan.name),
    now: Date.now,
    onChange: ({ name, state, pid, restarts }, error) => {
      journal.logger.info({ process: name, state, pid, restarts, err: error }, 'process')
      if (state !== 'backing-off') return
      if (name === 'gateway') stopEgressAgents(live)
      journal.say(`${name} ${error?.message ?? 'ended'}, starting it again`)
      const summary = { event: 'ended', reason: error?.message.slice(0, 200) ?? '' }
      void live.notary?.event({ kind: 'life-cycle', subject: `process:${name}`, summary })
    },
  })
  live.processes.set(plan.name, process)
  live.unwind.add(plan.name, () => process.stop())
  await process.start()
}

/** Its new sockets are not those that running sandboxes have mounted; the next start mounts them. */
function stopEgressAgents({ pool }: Live): void {
  for (const { manifest, replica } of pool?.members() ?? []) {
    if ((manifest.egress ?? []).length > 0) void replica.stop()
  }
}
