// N01 to N08: an agent that is wholly compromised, with its real credentials, on a real server. Each
// case names what it tries; that it fails is the server's doing alone, since the client is bare.

import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { describe, expect, it } from 'vitest'
import { startBus } from '../support/bus.ts'
import { anyReply, replicas, task, useBus } from '../support/bus-bench.ts'
import { answerAll, createBusClients } from '../support/bus-clients.ts'

const bus = useBus()
const { enter, raw, refusals } = bus

describe('a compromised agent with its real credentials', () => {
  it.each([
    ['>'],
    ['*'],
    ['*.>'],
    ['_INBOX.>'],
    ['_INBOX_worker.>'],
    ['_INBOX_agent_notes_1.>'],
    ['_R_.>'],
    ['$SYS.>'],
    ['$JS.>'],
    ['agent.calendar.1.exec'],
    ['agent.*.*.exec'],
    ['evt'],
    ['evt.>'],
    ['notary.>'],
    ['worker.>'],
    ['exec.>'],
  ])('cannot subscribe to %s', async (subject) => {
    const agent = await raw('agent_notes_1')
    const plain = await refusals(agent, () => void agent.subscribe(subject, { callback() {} }))
    expect(plain).toEqual([`subscription ${subject}`])
    const queued = await refusals(
      agent,
      () => void agent.subscribe(subject, { queue: 'q', callback() {} }),
    )
    expect(queued).toEqual([`subscription ${subject}`])
  })

  it.each([
    ['exec'],
    ['agent.calendar.1.exec'],
    ['agent.notes.1.exec'],
    ['evt.notes.1'],
    ['evt.calendar.1'],
    ['evt.x'],
    ['notary.admit'],
    ['notary.admit.worker'],
    ['notary.event'],
    ['supervisor.ensure'],
    ['supervisor.heartbeat'],
    ['worker.artifact.get'],
    ['worker.retrieve'],
    ['ingest'],
    ['events'],
    ['$JS.API.INFO'],
    ['$JS.ACK.CMD.a.1.1.1.1.1'],
    ['$SYS.REQ.SERVER.PING'],
    ['$SYS.REQ.USER.INFO'],
    ['$SYS.REQ.ACCOUNT.PING.CONNZ'],
    ['_INBOX_worker.x'],
    ['_R_.abcdef'],
  ])('cannot publish to %s', async (subject) => {
    const agent = await raw('agent_notes_1')
    expect(await refusals(agent, () => agent.publish(subject, 'x'))).toEqual([`publish ${subject}`])
  })

  it('sees a reply subject of the server, not the inbox of the worker', async () => {
    const agent = await raw('agent_calendar_1')
    const commands: Msg[] = []
    agent.subscribe('exec', { callback: (_, message) => void commands.push(message) })
    await agent.flush()
    const worker = await enter('worker')
    await worker
      .call('agent.calendar.1.exec', task, {}, { ...anyReply, timeoutMs: 200 })
      .catch(() => undefined)
    expect(commands.map(({ reply }) => reply)).toEqual([expect.stringMatching(/^_R_\./)])
    // The server adds the caller's account and its distance, and nothing by which to reach it.
    const info = commands[0]?.headers?.get('Nats-Request-Info') ?? '{}'
    expect(commands[0]?.headers?.keys()).toEqual(['Nats-Request-Info'])
    expect(JSON.parse(info)).toEqual({ acc: 'worker', rtt: expect.any(Number) })
  })

  it.each([
    ['agent.calendar.1.exec'],
    ['exec'],
    ['_INBOX_worker.x'],
    ['notary.admit'],
    ['$JS.API.INFO'],
  ])('cannot make the notary answer onto %s', async (reply) => {
    const victim = await answerAll(await enter('agent_calendar_1'), 'exec')
    const notary = await enter('notary')
    const events = await answerAll(notary, 'evt.*.*')
    const admissions = await answerAll(notary, 'notary.*.*')
    const worker = await raw('worker')
    const inbox: Msg[] = []
    worker.subscribe('_INBOX_worker.>', { callback: (_, message) => void inbox.push(message) })
    await worker.flush()
    const agent = await enter('agent_notes_1')
    const bare = await raw('agent_notes_1')
    bare.publish('evt', envelope(agent.account), { reply })
    await bare.flush()
    await expect.poll(() => events.length).toBe(1)
    await settle(worker)
    expect([victim, inbox, admissions]).toEqual([[], [], []])
  })

  it('cannot have message traces sent to others', async () => {
    const victim = await answerAll(await enter('agent_calendar_1'), 'exec')
    const events = await answerAll(await enter('notary'), 'evt.*.*')
    const worker = await raw('worker')
    const inbox: Msg[] = []
    worker.subscribe('_INBOX_worker.>', { callback: (_, message) => void inbox.push(message) })
    await worker.flush()
    const agent = await raw('agent_notes_1')
    for (const destination of ['agent.calendar.1.exec', '_INBOX_worker.x', 'exec']) {
      const traced = headers()
      traced.set('Nats-Trace-Dest', destination)
      agent.publish('evt', envelope('agent_notes_1'), { headers: traced })
    }
    agent.publish('evt', envelope('agent_notes_1'))
    await agent.flush()
    await expect.poll(() => events.length).toBeGreaterThan(0)
    await settle(worker)
    expect([victim, inbox]).toEqual([[], []])
  })

  it('can answer a command once', async () => {
    const agent = await raw('agent_calendar_1')
    let command: Msg | undefined
    agent.subscribe('exec', {
      callback: (_, message) => {
        command = message
        message.respond(envelope('agent_calendar_1'))
      },
    })
    await agent.flush()
    const worker = await enter('worker')
    await worker.call('agent.calendar.1.exec', task, {}, anyReply)
    const refused = await refusals(agent, () => void command?.respond('again'))
    expect(refused).toEqual([`publish ${command?.reply}`])
  })

  it('has no more connections and subscriptions than an agent needs', async () => {
    const first = await raw('agent_notes_1')
    await raw('agent_notes_1')
    await expect(raw('agent_notes_1')).rejects.toThrow()
    for (let count = 0; count < 5; count++) first.subscribe('exec', { callback() {} })
    await first.flush().catch(() => undefined)
    await answerAll(await enter('agent_calendar_1'), 'exec')
    const worker = await enter('worker')
    await expect(worker.call('agent.calendar.1.exec', task, {}, anyReply)).resolves.toBeDefined()
    expect(bus.server.log()).toContain('maximum subscriptions exceeded')
  })
})

describe('a late answer', () => {
  it('is refused by the server', async () => {
    const hasty = await startBus({
      replicas,
      adjust: (config) => config.replaceAll('expires: "30s"', 'expires: "300ms"'),
    })
    const hastyClients = createBusClients(() => hasty)
    try {
      const agent = await hastyClients.raw('agent_calendar_1')
      const commands: Msg[] = []
      agent.subscribe('exec', { callback: (_, message) => void commands.push(message) })
      await agent.flush()
      const worker = await hastyClients.raw('worker')
      const asking = worker.request('agent.calendar.1.exec', 'x', { timeout: 1_500 })
      asking.catch(() => undefined)
      await expect.poll(() => commands.length).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 600))
      const refused = await hastyClients.refusals(agent, () => void commands[0]?.respond('late'))
      expect(refused).toEqual([`publish ${commands[0]?.reply}`])
      await expect(asking).rejects.toThrow()
    } finally {
      await hastyClients.closeAll()
      await hasty.stop()
    }
  })
})

/** A well-formed message, so that our own side has no other reason to ignore it. */
function envelope(sender: string): string {
  return JSON.stringify({
    id: 'm1',
    sender,
    receiver: 'test',
    timestamp: Date.now(),
    type: 'HEARTBEAT',
    payload: {},
    correlationId: 'c1',
    priority: 'LOW',
    ttl: 30_000,
  })
}

/** Waits until everything that was on its way has arrived. */
async function settle(connection: NatsConnection): Promise<void> {
  await connection.flush()
  await new Promise((resolve) => setTimeout(resolve, 100))
  await connection.flush()
}
