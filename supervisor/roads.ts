// The honest way onto the bus: which ports of loopback are, or just were, the far end of one
// replica's forwarder. A connection of that replica's account from any other port is somebody else's.

export interface Roads {
  open(port: number): void
  close(port: number): void
  has(port: number): boolean
}

/**
 * How long a closed port still counts. The server may name a connection that has just ended, as after
 * every restart of an agent; whoever takes over such a port is found when this has passed.
 */
const closedForMs = 15_000

export function createRoads(now: () => number): Roads {
  /** Port -> when it was closed. */
  const ports = new Map<number, number | undefined>()
  const forget = () => {
    for (const [port, closedAt] of ports) {
      if (closedAt !== undefined && now() - closedAt > closedForMs) ports.delete(port)
    }
  }
  return {
    open: (port) => {
      forget()
      ports.set(port, undefined)
    },
    close: (port) => {
      ports.set(port, now())
    },
    has: (port) => {
      forget()
      return ports.has(port)
    },
  }
}
