// N01 to N10: a compromised agent with its real certificate and key, from inside its real sandbox, in
// words that no client library would send. What the server refused is read from the server's own log;
// what reached others, from those others. N11 and N13 complete the list from outside.

import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, nkeyAuthenticator } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createMessage } from '../../security/message.ts'
import { certificateLifeMs, prepareCertificate } from '../../security/pki/certificates.ts'
import { prepareIdentities } from '../../security/pki/identities.ts'
import { createCaseTable } from '../support/case-table.ts'
import { type HostileDeployment, startHostileDeployment } from '../support/hostile-deployment.ts'
import { auditRows, busRefusals, readBusLog, securityCodes } from '../support/traces.ts'

const table = createCaseTable('bus, from inside the sandbox of a hostile agent')
const heardSchema = z.object({ text: z.string(), ended: z.boolean() })
let hostile: HostileDeployment
let heldAt = 0

beforeAll(async () => {
  hostile = await startHostileDeployment()
  // Kept by the hostile agent until it is too late to answer.
  hostile.raw.send('agent.notes.0.exec', 'answer me late', '_INBOX_worker.late')
  heldAt = Date.now()
}, 240_000)

afterAll(async () => {
  table.print()
  await hostile.stop()
})

async function speak(lines: readonly string[], more: object = {}) {
  return heardSchema.parse(await hostile.order('speak', { lines, ...more }))
}

async function listen(details: object) {
  return heardSchema.parse(await hostile.order('listen', details))
}

/** A well-formed event, so that nobody has another reason to ignore it. */
const event = (code: string) =>
  JSON.stringify(
    createMessage(
      { sender: 'x', receiver: 'notary', type: 'ERROR_NOTIFICATION', correlationId: '' },
      { kind: 'security', subject: 'x', summary: { code } },
      Date.now(),
    ),
  )

async function refusedInLog(text: string): Promise<void> {
  await expect.poll(() => busRefusals(hostile.state).some((line) => line.includes(text))).toBe(true)
}

/** Answers within a second, whatever the hostile agent is doing. */
async function calendarServes(): Promise<void> {
  const command = createMessage(
    { sender: 'worker', receiver: 'calendar', type: 'TASK_REQUEST', correlationId: '' },
    { op: 'health' },
    Date.now(),
  )
  const reply = await hostile.raw.ask('agent.calendar.0.exec', JSON.stringify(command), 3_000)
  expect(reply).toMatchObject({ status: 'HEALTHY' })
}

describe('a hostile agent', () => {
  const foreign = [
    ...['>', '*', '*.>', '_INBOX.>', '_INBOX_worker.>', '_R_.>', '$SYS.>', '$JS.>', 'exec.>'],
    ...['agent.calendar.0.exec', 'agent.*.*.exec', 'evt', 'evt.>', 'notary.>', 'supervisor.>'],
    ...['worker.>', '_INBOX_agent_calendar_0.>'],
  ]
  it('N01 cannot subscribe to anything but its own subject, plain or in a queue group', async () => {
    const lines = foreign.flatMap((subject, n) => [
      `SUB ${subject} ${n * 2 + 1}`,
      `SUB ${subject} q ${n * 2 + 2}`,
    ])
    const { text } = await speak(lines)
    for (const subject of foreign) {
      expect(text).toContain(`'Permissions Violation for Subscription to "${subject}"'`)
      expect(text).toContain(`Subscription to "${subject}" using queue "q"'`)
      await refusedInLog(`"${subject}"`)
    }
    expect(text).not.toContain('MSG ')
    table.add('N01', `subscribe to ${foreign.length} subjects, twice`, 'nats-server', 'Permissions')
  })

  const forbidden = [
    ...['agent.calendar.0.exec', 'agent.notes.0.exec', 'exec', 'evt.calendar.0', 'evt.notes.0'],
    ...['notary.admit', 'notary.authorize', 'notary.event', 'supervisor.ensure', 'ingest'],
    ...[
      'worker.artifact.get',
      'worker.retrieve',
      '$JS.API.INFO',
      '$SYS.REQ.SERVER.PING',
      '$SYS.REQ.USER.INFO',
    ],
    ...['_INBOX_worker.x', '_R_.abc'],
  ]
  it('N02 cannot publish to anything but its own event', async () => {
    const inbox = await hostile.raw.watch('_INBOX_worker.x')
    const { text } = await speak(forbidden.flatMap((subject) => [`PUB ${subject} 1`, 'x']))
    for (const subject of forbidden) {
      expect(text).toContain(`'Permissions Violation for Publish to "${subject}"'`)
      await refusedInLog(`"${subject}"`)
    }
    expect([inbox, securityCodes(hostile.state, 'agent:calendar.0')]).toEqual([[], []])
    table.add('N02', `publish to ${forbidden.length} subjects`, 'nats-server', 'Permissions')
  })

  it('N03 cannot make the notary answer onto a subject of others', async () => {
    const inbox = await hostile.raw.watch('_INBOX_worker.x')
    const replies = ['agent.calendar.0.exec', 'exec', 'notary.admit', '_INBOX_worker.x']
    const body = event('REFLECTED')
    await speak(replies.flatMap((reply) => [`PUB evt ${reply} ${body.length}`, body]))
    await expect.poll(() => securityCodes(hostile.state, 'agent:notes.0')).toContain('REFLECTED')
    await delay(200)
    const kept = await hostile.order('kept')
    expect(JSON.stringify(kept)).not.toContain('RECORDED')
    expect([inbox, securityCodes(hostile.state, 'agent:calendar.0')]).toEqual([[], []])
    expect(auditRows(hostile.state).filter(({ actor }) => actor === 'agent:calendar.0')).toEqual([])
    table.add('N03', 'reply set to subjects of others', 'nats-server', 'mapped, nothing arrived')
  })

  it('N04 N05 has no JetStream to redirect or to acknowledge', async () => {
    const subjects = [
      ...['$JS.API.CONSUMER.MSG.NEXT.EVENTS.a', '$JS.API.STREAM.CREATE.X', '$JS.API.STREAM.NAMES'],
      ...['$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.a', '$JS.API.STREAM.RESTORE.X'],
      '$JS.ACK.EVENTS.a.1.1.1.1.1',
    ]
    const lines = subjects.flatMap((subject) => [`PUB ${subject} agent.calendar.0.exec 2`, '{}'])
    const { text } = await speak(lines)
    for (const subject of subjects) {
      expect(text).toContain(`'Permissions Violation for Publish to "${subject}"'`)
      await refusedInLog(`"${subject}"`)
    }
    const greeting = (await listen({})).text
    expect(greeting).toMatch(/^INFO /)
    expect(greeting).not.toContain('"jetstream":true')
    expect(securityCodes(hostile.state, 'agent:calendar.0')).toEqual([])
    table.add('N04', 'PubAck, pull and push redirection', 'nats-server', 'Permissions')
    table.add('N05', 'a forged acknowledgement', 'nats-server', 'Permissions')
  })

  it('N08 answers a command once', async () => {
    const asked = hostile.raw.ask('agent.notes.0.exec', 'answer me twice')
    await expect.poll(async () => JSON.stringify(await hostile.order('kept'))).toContain('twice')
    const before = violationsOfReplies()
    const texts = ['"first"', '"second"']
    await hostile.order('answer', { match: 'twice', texts })
    expect(await asked).toBe('first')
    await expect.poll(violationsOfReplies).toBe(before + 1)
    table.add('N08', 'a second response', 'nats-server', 'Publish Violation')
  })
})

const violationsOfReplies = (): number =>
  busRefusals(hostile.state).filter((line) => /Publish Violation.*_R_\./.test(line)).length

describe('a flood', () => {
  it('N09 of bytes ends the connection that sent them', async () => {
    const bytes = 3 * 1024 * 1024
    const { text, ended } = await speak([`PUB evt ${bytes}`], { padBytes: bytes, waitMs: 3_000 })
    expect(ended).toBe(true)
    // The server may be gone before its word is read; its log has it.
    expect(text === '' || /Maximum Payload/i.test(text) || /PONG/.test(text)).toBe(true)
    await refusedInLog('maximum payload')
    await calendarServes()
    table.add('N09', 'a message of 3 MiB', 'nats-server', 'Maximum Payload Violation')
  })

  it('N09 of 100,000 subscriptions is cut off at a few', async () => {
    const lines = Array.from({ length: 100_000 }, (_, n) => `SUB exec ${n + 1}`)
    const heard = hostile.order('speak', { lines, waitMs: 3_000 }, 30_000).catch(() => 'lost')
    await calendarServes()
    await refusedInLog('maximum subscriptions exceeded')
    await heard
    await calendarServes()
    expect(await hostile.order('ping')).toBe('pong')
    table.add('N09', '100,000 subscriptions', 'nats-server', 'Maximum Subscriptions')
  })

  it('N09 of connections gets no more than the two an agent may have', async () => {
    const flood = Array.from({ length: 200 }, () => listen({ patienceMs: 4_000 }))
    await calendarServes()
    const heard = await Promise.all(flood)
    const greeted = heard.filter(({ text }) => text !== '')
    expect(greeted.length).toBeLessThan(20)
    expect(heard.filter(({ text, ended }) => text === '' && ended).length).toBeGreaterThan(180)
    await calendarServes()
    table.add('N09', '200 connections at once', 'forwarder', 'closed unread')
  })
})

const nothing = { text: '', ended: true }

describe('whoever does not come as it must', () => {
  it('N10 is greeted when it does', async () => {
    expect((await listen({})).text).toMatch(/^INFO /)
  })

  it('N10 hears nothing over TLS 1.2, without a certificate, or in clear', async () => {
    expect(await listen({ options: { maxVersion: 'TLSv1.2' } })).toEqual(nothing)
    table.add('N10', 'TLS 1.2', 'nats-server', 'handshake refused')
    expect(await listen({ stranger: true })).toEqual(nothing)
    table.add('N10', 'no client certificate', 'nats-server', 'handshake refused')
    const said = await listen({ plain: true, words: 'CONNECT {}\r\nPING\r\n' })
    expect(said.ended).toBe(true)
    expect(said.text).not.toMatch(/INFO|PONG|ERR/)
    table.add('N10', 'plaintext, talking', 'nats-server', 'nothing in clear')
    const silent = await listen({ plain: true })
    expect(silent.ended).toBe(true)
    expect(silent.text).not.toMatch(/INFO/)
    table.add('N10', 'plaintext, waiting for INFO', 'nats-server', 'nothing in clear')
  })

  it('N10 hears nothing with a certificate of another deployment, or an expired one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bulkhead-foreign-'))
    try {
      const { bus } = hostile.deployment.deployment
      const replicas = [{ agent: 'notes', n: 0 }]
      await prepareIdentities({ state: folder, deployment: 'foreign1', replicas, bus })
      const theirs = join(folder, 'agents', 'notes.0', 'bus')
      const pem = (path: string) => readFile(path, 'utf8')
      const options = {
        cert: await pem(join(theirs, 'cert.pem')),
        key: await pem(join(theirs, 'key.pem')),
      }
      expect(await listen({ options })).toEqual(nothing)
      table.add('N10', 'a certificate of another CA', 'nats-server', 'handshake refused')
      const files = { certificate: join(folder, 'old.pem'), key: join(folder, 'old.key.pem') }
      const authority = {
        certificatePem: await pem(join(hostile.state, 'pki', 'ca.pem')),
        keyPem: await pem(join(hostile.state, 'pki', 'ca.key.pem')),
      }
      const longAgo = Date.now() - certificateLifeMs - 60_000
      await prepareCertificate(files, { name: 'notes', purpose: 'client' }, authority, longAgo)
      const expired = { cert: await pem(files.certificate), key: await pem(files.key) }
      expect(await listen({ options: expired })).toEqual(nothing)
      table.add('N10', 'an expired certificate', 'nats-server', 'handshake refused')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('N13 is refused with a stolen nkey and no certificate', async () => {
    const { bus } = hostile.deployment.deployment
    const folder = join(hostile.state, 'agents', 'notes.0', 'bus')
    const attempt = connect({
      servers: `${bus.host}:${bus.port}`,
      authenticator: nkeyAuthenticator(readFileSync(join(folder, 'nkey.seed'))),
      tls: { handshakeFirst: true, caFile: join(folder, 'ca.pem') },
      reconnect: false,
    })
    await expect(attempt).rejects.toThrow()
    table.add('N13', 'a stolen nkey without a certificate', 'nats-server', 'handshake refused')
  })
})

describe('the server as it is configured', () => {
  it('N11 grants no wildcard but inboxes, denies nothing, has no default user', async () => {
    const config = readFileSync(join(hostile.state, 'nats', 'nats.conf'), 'utf8')
    const wild = [...config.matchAll(/"([^"\s]*[>*][^"\s]*)"/g)].map(([, subject]) => subject)
    const beyond = wild.filter((subject = '') => !/^_INBOX_[a-z]+\.>$/.test(subject))
    // What notary and worker serve: one subject a caller, mapped by the server.
    const served = ['evt.*.*', 'notary.*.*', 'worker.artifact.*.*', 'worker.retrieve.*']
    // Besides: replies of our own servers, and the supervisor's watch over who connects.
    const more = ['_R_.>', '$SYS.ACCOUNT.*.CONNECT']
    expect(new Set(beyond)).toEqual(new Set([...served, ...more]))
    expect(config).not.toMatch(/deny|no_auth_user|websocket|mqtt|leafnodes|jetstream|http_port/i)
    const greeting = (await listen({})).text
    const [, version = ''] = /"version":"(\d+\.\d+\.\d+)"/.exec(greeting) ?? []
    expect(version.localeCompare('2.12.12', 'en', { numeric: true })).toBeGreaterThanOrEqual(0)
    table.add('N11', 'wildcards, deny rules, default users', '(none there)', `server ${version}`)
  })
})

describe('a late answer', () => {
  it('N08 is refused when its time has passed', { timeout: 60_000 }, async () => {
    await delay(Math.max(0, heldAt + 31_000 - Date.now()))
    const inbox = await hostile.raw.watch('_INBOX_worker.late')
    const before = violationsOfReplies()
    expect(await hostile.order('answer', { match: 'late', texts: ['"late"'] })).toBe(1)
    await expect.poll(violationsOfReplies).toBe(before + 1)
    expect(inbox.filter((message) => message.string() === '"late"')).toEqual([])
    table.add('N08', 'a response after 31 s', 'nats-server', 'Publish Violation')
  })

  it('the case before shows that the calendar agent would have told of what reached it', async () => {
    hostile.raw.send('agent.calendar.0.exec', event('X'), '_INBOX_worker.control')
    await expect.poll(() => securityCodes(hostile.state, 'agent:calendar.0')).toEqual(['MALFORMED'])
  })
})

describe('at last, a flood of commands', () => {
  it('N09 that it does not read drops its own connection', { timeout: 120_000 }, async () => {
    const isDropped = () => /Slow Consumer/i.test(readBusLog(hostile.state))
    // On a busy machine the deaf session may not have subscribed before it went deaf.
    for (let attempt = 0; attempt < 3 && !isDropped(); attempt++) {
      await hostile.order('drop')
      await expect
        .poll(async () => (await speak(['SUB exec 1'], { deaf: true, waitMs: 1_000 })).text, {
          timeout: 20_000,
        })
        .toContain('PONG')
      for (let n = 0; n < 160 && !isDropped(); n++) {
        hostile.raw.send('agent.notes.0.exec', Buffer.alloc(1024 * 1024, 120))
        if (n % 8 === 7) await calendarServes()
      }
      for (let waited = 0; waited < 10_000 && !isDropped(); waited += 100) await delay(100)
    }
    expect(isDropped()).toBe(true)
    await calendarServes()
    table.add('N09', 'a reader that does not read', 'nats-server', 'Slow Consumer')
  })
})
