// The bus as its parties use it: our own client on a real server with the generated accounts. What an
// attacker tries is in the suite test/adversarial.

import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Msg } from '@nats-io/transport-node'
import { describe, expect, it } from 'vitest'
import { createMessage } from '../../security/message.ts'
import { prepareIdentities } from '../../security/pki/identities.ts'
import { startBus } from '../support/bus.ts'
import { anyReply, replicas, task, useBus } from '../support/bus-bench.ts'
import { answerAll, createBusClients } from '../support/bus-clients.ts'
import { programPath } from '../support/programs.ts'

const { enter, raw } = useBus()

describe('calls that the table allows', () => {
  it('reach the agent and come back to the worker', async () => {
    const agent = await enter('agent_calendar_1')
    const seen = await answerAll(agent, 'exec')
    const worker = await enter('worker')
    const reply = await worker.call('agent.calendar.1.exec', task, { hello: 1 }, anyReply)
    expect(reply).toEqual({ by: 'agent_calendar_1', on: 'exec' })
    expect(seen).toEqual([{ subject: 'exec', payload: { hello: 1 } }])
  })

  it('tell the notary who called, by the subject that the server mapped', async () => {
    const notary = await enter('notary')
    const seen = await answerAll(notary, 'notary.*.*')
    const [cli, worker] = [await enter('cli'), await enter('worker')]
    await cli.call('notary.request', task, {}, anyReply)
    await cli.call('notary.head', task, {}, anyReply)
    await worker.call('notary.head', task, {}, anyReply)
    const subjects = seen.map(({ subject }) => subject)
    expect(subjects).toEqual(['notary.request.cli', 'notary.head.cli', 'notary.head.worker'])
  })

  it('join supervisor, notary and worker as the table says', async () => {
    const [supervisor, notary] = [await enter('supervisor'), await enter('notary')]
    const [worker, cli] = [await enter('worker'), await enter('cli')]
    await answerAll(supervisor, 'supervisor.ensure')
    await answerAll(supervisor, 'supervisor.quarantine')
    await answerAll(notary, 'notary.boot.supervisor')
    await answerAll(worker, 'worker.artifact.get.*')
    expect(await worker.call('supervisor.ensure', task, {}, anyReply)).toMatchObject({
      by: 'supervisor',
    })
    expect(await notary.call('supervisor.quarantine', task, {}, anyReply)).toMatchObject({
      by: 'supervisor',
    })
    expect(await supervisor.call('notary.boot', task, {}, anyReply)).toMatchObject({
      by: 'notary',
    })
    expect(await cli.call('worker.artifact.get', task, {}, anyReply)).toEqual({
      by: 'worker',
      on: 'worker.artifact.get.cli',
    })
  })

  it('bring an event of an agent to the notary under its own name', async () => {
    const notary = await enter('notary')
    const seen = await answerAll(notary, 'evt.*.*')
    const agent = await enter('agent_notes_1')
    agent.publish('evt', { ...task, type: 'HEARTBEAT' }, { alive: true })
    await expect.poll(() => seen).toEqual([{ subject: 'evt.notes.1', payload: { alive: true } }])
  })

  it('carry two megabytes less the envelope', async () => {
    await answerAll(await enter('agent_calendar_1'), 'exec')
    const worker = await enter('worker')
    const payload = 'x'.repeat(2 * 1024 * 1024 - 1_024)
    await expect(
      worker.call('agent.calendar.1.exec', task, payload, anyReply),
    ).resolves.toBeDefined()
  })
})

describe('a call that fails', () => {
  it('is NOT_DELIVERED when nobody serves it', async () => {
    const worker = await enter('worker')
    await expect(worker.call('agent.calendar.1.exec', task, {}, anyReply)).rejects.toMatchObject({
      code: 'NOT_DELIVERED',
    })
  })

  it('is TIMEOUT when it was delivered and not answered', async () => {
    const agent = await raw('agent_calendar_1')
    const seen: Msg[] = []
    agent.subscribe('exec', { callback: (_, message) => void seen.push(message) })
    await agent.flush()
    const worker = await enter('worker')
    await expect(
      worker.call('agent.calendar.1.exec', task, {}, { ...anyReply, timeoutMs: 300 }),
    ).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(seen).toHaveLength(1)
  })

  it('is MALFORMED when the answer is not a message of ours', async () => {
    const agent = await raw('agent_calendar_1')
    agent.subscribe('exec', { callback: (_, message) => void message.respond('{"a":1,"a":2}') })
    await agent.flush()
    const worker = await enter('worker')
    await expect(worker.call('agent.calendar.1.exec', task, {}, anyReply)).rejects.toMatchObject({
      code: 'MALFORMED',
    })
  })

  it.each([
    ['cli', 'notary.admit'],
    ['cli', 'notary.authorize'],
    ['cli', 'notary.boot'],
    ['cli', 'agent.calendar.1.exec'],
    ['cli', 'supervisor.ensure'],
    ['worker', 'notary.request'],
    ['worker', 'notary.approve'],
    ['worker', 'notary.boot'],
    ['worker', 'notary.admit.worker'],
    ['worker', 'supervisor.quarantine'],
    ['worker', 'supervisor.heartbeat'],
    ['supervisor', 'notary.request'],
    ['supervisor', 'notary.admit'],
    ['supervisor', 'agent.calendar.1.exec'],
    ['notary', 'agent.calendar.1.exec'],
    ['notary', 'supervisor.ensure'],
    ['agent_notes_1', 'agent.calendar.1.exec'],
  ])('is PERMISSION when %s calls %s', async (account, subject) => {
    await answerAll(await enter('notary'), 'notary.*.*')
    await answerAll(await enter('agent_calendar_1'), 'exec')
    const bus = await enter(account)
    await expect(bus.call(subject, task, {}, anyReply)).rejects.toMatchObject({
      code: 'PERMISSION',
    })
  })
})

describe('a party that serves', () => {
  const malformed = (code: string) => ({ refused: code })

  it('answers what has no meaning, and what came too late, only as it says it will', async () => {
    const agent = await enter('agent_calendar_1')
    const ran: unknown[] = []
    agent.serve('exec', async ({ payload }) => void ran.push(payload), {
      type: 'TASK_RESPONSE',
      onMalformed: malformed,
    })
    await agent.flush()
    const worker = await raw('worker')
    const ask = async (text: string) => {
      const answer = await worker.request('agent.calendar.1.exec', text, { timeout: 20_000 })
      return answer.json<{ payload: unknown }>().payload
    }
    const late = { ...createMessage({ ...task, sender: 'worker' }, {}, Date.now()), timestamp: 1 }
    expect(await ask('not json')).toEqual({ refused: 'MALFORMED' })
    expect(await ask('{"id":"a","id":"b"}')).toEqual({ refused: 'MALFORMED' })
    expect(await ask(JSON.stringify(late))).toEqual({ refused: 'EXPIRED_MESSAGE' })
    expect(ran).toEqual([])
  })

  it('gives no answer where its handler returns nothing', async () => {
    const agent = await enter('agent_calendar_1')
    agent.serve('exec', async () => undefined, { type: 'TASK_RESPONSE' })
    await agent.flush()
    const worker = await enter('worker')
    await expect(
      worker.call('agent.calendar.1.exec', task, {}, { ...anyReply, timeoutMs: 300 }),
    ).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it('answers the calls in progress before it closes, and takes no new ones', async () => {
    const agent = await enter('agent_calendar_1')
    let release = (_result: string) => {}
    const finish = new Promise<string>((resolve) => {
      release = resolve
    })
    const asked: unknown[] = []
    agent.serve(
      'exec',
      async ({ payload }) => {
        asked.push(payload)
        return await finish
      },
      { type: 'TASK_RESPONSE' },
    )
    await agent.flush()
    const worker = await enter('worker')
    const call = worker.call('agent.calendar.1.exec', task, 'first', anyReply)
    await expect.poll(() => asked.length).toBe(1)
    const closing = agent.close()
    await agent.flush()
    await expect(
      worker.call('agent.calendar.1.exec', task, 'second', anyReply),
    ).rejects.toMatchObject({ code: 'NOT_DELIVERED' })
    release('done')
    expect(await call).toBe('done')
    await closing
    expect(asked).toEqual(['first'])
  })

  it('is closed with PERMISSION when it may not serve that', async () => {
    const agent = await enter('agent_calendar_1')
    agent.serve('evt', async () => ({}), { type: 'TASK_RESPONSE' })
    expect(await agent.closed()).toMatchObject({ code: 'PERMISSION' })
  })

  it('hears of the end of the server', async () => {
    const short = await startBus({ replicas })
    const others = createBusClients(() => short)
    const agent = await others.enter('agent_calendar_1')
    await short.stop()
    await agent.closed()
    expect(() => agent.publish('evt', task, {})).toThrow(
      expect.objectContaining({ code: 'CLOSED' }),
    )
    await others.closeAll()
  })
})

describe('a message above two megabytes', () => {
  it('is MALFORMED before it is sent, and the connection lives on', async () => {
    await answerAll(await enter('agent_calendar_1'), 'exec')
    const worker = await enter('worker')
    const payload = 'x'.repeat(2 * 1024 * 1024)
    await expect(
      worker.call('agent.calendar.1.exec', task, payload, anyReply),
    ).rejects.toMatchObject({ code: 'MALFORMED' })
    await expect(worker.call('agent.calendar.1.exec', task, {}, anyReply)).resolves.toBeDefined()
  })
})

describe('the configuration', () => {
  it('is accepted by the real server wherever the state folder lies', async () => {
    const state = await mkdtemp(join(tmpdir(), 'bulkhead "home" \\ '))
    try {
      const bus = { host: '127.0.0.1', port: 4222 }
      await prepareIdentities({ state, deployment: 'abcd1234', replicas, bus })
      const file = join(state, 'nats', 'nats.conf')
      execFileSync(programPath('nats-server'), ['-t', '-c', file], { stdio: 'pipe' })
    } finally {
      await rm(state, { recursive: true, force: true })
    }
  })
})
