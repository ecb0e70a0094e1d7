// Without an agent that declares egress there is nothing that could speak to the outside.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ensureReplySchema } from '../../agents/protocol.ts'
import { connectBus } from '../../security/bus.ts'
import { startDeployment, stubParty } from '../support/deployment.ts'

const head = { receiver: 'test', type: 'TASK_REQUEST', correlationId: 'egress' } as const

describe('a deployment whose agents ask nobody', () => {
  it('has no gateway, neither as a process nor as a user of the bus', async () => {
    const quiet = await startDeployment({
      agents: ['test'],
      notaryEntry: stubParty,
      workerEntry: stubParty,
    })
    try {
      const { body } = await quiet.control('GET', '/status')
      expect(JSON.stringify(body)).not.toContain('gateway')
      expect(existsSync(join(quiet.state, 'gateway'))).toBe(false)
      const bus = await connectBus({
        credentials: join(quiet.state, 'worker', 'bus'),
        reconnect: false,
      })
      await bus.call(
        'supervisor.ensure',
        head,
        { agent: 'test', n: 0 },
        {
          reply: ensureReplySchema,
          timeoutMs: 30_000,
        },
      )
      await bus.close()
      expect(
        readdirSync(join(quiet.state, 'run')).filter((name) => name.includes('egress')),
      ).toEqual([])
    } finally {
      await quiet.stop()
    }
  })
})
