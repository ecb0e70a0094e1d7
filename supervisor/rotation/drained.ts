// Does something while no agent has anything under way: each is stopped once what it was sent has been
// answered, and whoever asks for one meanwhile waits. Needed around a reload of the bus server, which
// forgets which replies it owes to agents.

import type { Replica } from '../replica.ts'

export async function withAgentsDrained<T>(
  replicas: readonly Pick<Replica, 'drain'>[],
  work: () => Promise<T>,
): Promise<T> {
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  try {
    await Promise.all(replicas.map((replica) => replica.drain(released)))
    return await work()
  } finally {
    release()
  }
}
