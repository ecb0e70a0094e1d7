// Which TCP ports of loopback the servers listen on: the configured ones, else free ones. A free
// port can be taken by somebody else before the server binds it; whoever starts the servers tries
// again with other ports. A configured port that is taken is the person's decision, so it is refused.

import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { SupervisorError } from './codes.ts'

export const portNames = [
  'temporal',
  'temporalUi',
  'temporalHttp',
  'temporalMetrics',
  'bus',
] as const
export type PortName = (typeof portNames)[number]
export type Ports = Readonly<Record<PortName, number>>
/** Those that a person has fixed. */
export type ConfiguredPorts = Readonly<Partial<Record<PortName, number | undefined>>>

/** @throws SupervisorError PORT_TAKEN naming the key of the configuration */
export async function choosePorts(configured: ConfiguredPorts): Promise<Ports> {
  const chosen = new Map<PortName, number>()
  for (const name of portNames) {
    const wanted = configured[name]
    if (wanted !== undefined && !(await isFree(wanted))) {
      throw new SupervisorError('PORT_TAKEN', `port ${wanted} (ports.${name}) is taken`, {
        next: `choose another ports.${name} in bulkhead.yaml, or see who holds it: ss -ltnp 'sport = :${wanted}'`,
      })
    }
    chosen.set(name, wanted ?? (await drawPort([...chosen.values()])))
  }
  const port = (name: PortName) => chosen.get(name) ?? 0
  return {
    temporal: port('temporal'),
    temporalUi: port('temporalUi'),
    temporalHttp: port('temporalHttp'),
    temporalMetrics: port('temporalMetrics'),
    bus: port('bus'),
  }
}

/**
 * Below the range from which kernels give ports to outgoing connections (32768 on Linux, 49152
 * elsewhere): a port from that range may be gone between the look and the server's bind.
 */
const [lowest, beyond] = [20_000, 32_000]
const draws = 200

async function drawPort(exclude: readonly number[]): Promise<number> {
  for (let draw = 0; draw < draws; draw++) {
    const port = randomInt(lowest, beyond)
    if (!exclude.includes(port) && (await isFree(port))) return port
  }
  throw new SupervisorError('PORT_TAKEN', `no free port between ${lowest} and ${beyond}`, {
    next: 'see who holds them: ss -ltn',
  })
}

/** Whether a server of ours could listen there now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => resolve(true))
    })
  })
}
