// N14: a stolen identity of an agent, key and certificate, used from outside its sandbox. X02: an agent
// shut out in the middle of a run. Real deployments; in both `notes` is the hostile bundle.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { busAddressSchema } from '../../security/bus.ts'
import { type HostileDeployment, startHostileDeployment } from '../support/hostile-deployment.ts'

/** As a thief has it who copied the folder: all that the agent itself connects with. */
async function enterAs(state: string, agent: string): Promise<NatsConnection> {
  const file = (name: string) => join(state, 'agents', agent, 'bus', name)
  const { host, port } = busAddressSchema.parse(JSON.parse(readFileSync(file('bus.json'), 'utf8')))
  return await connect({
    servers: `${host}:${port}`,
    authenticator: nkeyAuthenticator(readFileSync(file('nkey.seed'))),
    tls: {
      handshakeFirst: true,
      caFile: file('ca.pem'),
      certFile: file('cert.pem'),
      keyFile: file('key.pem'),
    },
    reconnect: false,
    timeout: 5_000,
  })
}

const agentSchema = z.looseObject({
  state: z.string(),
  bootEpoch: z.string().nullable(),
  quarantine: z.array(z.looseObject({ code: z.string(), by: z.string() })),
  sandbox: z.unknown(),
  replicas: z.array(z.looseObject({ pid: z.number().nullable() })),
})

describe('a stolen identity', () => {
  let hostile: HostileDeployment
  const show = async (name: string) =>
    agentSchema.parse((await hostile.deployment.control('GET', `/agents/${name}`)).body)

  beforeAll(async () => {
    hostile = await startHostileDeployment()
  })
  afterAll(() => hostile.stop())

  it('N14 is not suspected when an agent is killed and started again, however often', async () => {
    const epochs = new Set<string>()
    for (let round = 0; round < 4; round += 1) {
      const pid = (await show('notes')).replicas[0]?.pid
      if (pid !== null && pid !== undefined) process.kill(pid, 'SIGKILL')
      await expect.poll(async () => (await show('notes')).state).not.toBe('running')
      epochs.add(await hostile.ensure('notes'))
    }
    expect(epochs.size).toBe(4)
    // Longer than the watch takes to look at everything again.
    await new Promise((resolve) => setTimeout(resolve, 4_000))
    expect(await show('notes')).toMatchObject({ state: 'running', quarantine: [] })
    expect(hostile.deployment.said()).not.toContain('somebody else')
  })

  it('N14 is noticed, named, and dead, and so is the sandbox it was taken from', async () => {
    const calendar = await show('calendar')
    const thief = await enterAs(hostile.state, 'notes.0')
    await thief.closed()
    await expect.poll(async () => (await show('notes')).state).toBe('quarantined')
    const notes = await show('notes')
    expect(notes.quarantine).toMatchObject([{ code: 'DUPLICATE_IDENTITY', by: 'notary' }])
    expect(notes.replicas[0]?.pid).toBeNull()
    await expect(enterAs(hostile.state, 'notes.0')).rejects.toThrow('Authorization Violation')
    await expect(hostile.ensure('notes')).rejects.toThrow('QUARANTINED')
    expect(hostile.deployment.said()).toContain('somebody else connected with the identity of')
    // Nobody else has noticed.
    const others = await show('calendar')
    expect(others).toMatchObject({
      state: 'running',
      bootEpoch: calendar.bootEpoch,
      quarantine: [],
    })
  })

  it('N14 is noticed when its agent does not even run, and while it stays for a moment only', async () => {
    await hostile.deployment.control('POST', '/agents/notes/restore')
    expect(await show('notes')).toMatchObject({ state: 'stopped', quarantine: [] })
    const thief = await enterAs(hostile.state, 'notes.0')
    await thief.close()
    await expect.poll(async () => (await show('notes')).state).toBe('quarantined')
  })

  it('is of use again to its agent once a person has restored it', async () => {
    const { status } = await hostile.deployment.control('POST', '/agents/notes/restore')
    expect(status).toBe(200)
    await hostile.ensure('notes')
    expect(await hostile.order('ping')).toBe('pong')
  })
})
