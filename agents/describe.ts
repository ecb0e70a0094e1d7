// What an agent says of itself without a token: how it is and what it can do. Measured here, proven
// nowhere: whoever reads it believes no more than that the process answers.

import { type Admission, agentIdOf } from './admission.ts'
import type { AgentDefinition } from './define-agent.ts'
import type { Reply } from './protocol.ts'

export interface Metrics {
  executed: number
  failed: number
  totalMs: number
}

interface Facts extends Pick<Admission, 'agent' | 'identity'> {
  readonly sandbox: Readonly<Record<string, unknown>>
  readonly metrics: Readonly<Metrics>
}

export function healthOf({ agent, identity, sandbox, metrics }: Facts): Reply {
  const { executed, failed, totalMs } = metrics
  const cpu = process.cpuUsage()
  return {
    status: 'HEALTHY',
    agent: agentIdOf(agent, identity),
    bootEpoch: identity.bootEpoch,
    sandbox,
    metrics: {
      executed,
      failed,
      meanMs: executed === 0 ? 0 : totalMs / executed,
      memoryBytes: process.memoryUsage.rss(),
      cpuMs: (cpu.user + cpu.system) / 1_000,
      uptimeMs: Math.floor(process.uptime() * 1_000),
    },
  }
}

export function describe({ manifest }: AgentDefinition): Reply {
  const actions = Object.entries(manifest.actions).map(([name, { effect, summary }]) => ({
    name,
    effect,
    summary,
  }))
  return { status: 'DESCRIPTION', agent: manifest.name, summary: manifest.summary, actions }
}
