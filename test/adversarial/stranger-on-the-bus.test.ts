// N10: who is not a party of this deployment, or does not speak TLS 1.3 first, gets not one byte of
// the protocol. Each case differs from the honest connection in one thing only.

import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, connect as tcpConnect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ConnectionOptions,
  createServer as createTlsServer,
  type TLSSocket,
  connect as tlsConnect,
} from 'node:tls'
import { createUser } from '@nats-io/nkeys'
import { connect, nkeyAuthenticator } from '@nats-io/transport-node'
import getPort from 'get-port'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectBus } from '../../security/bus.ts'
import { certificateLifeMs, prepareCertificate } from '../../security/pki/certificates.ts'
import { prepareIdentities } from '../../security/pki/identities.ts'
import { startBus, type TestBus } from '../support/bus.ts'

const replicas = [{ agent: 'notes', n: 1 }]
/** Longer than the server gives a handshake (5 s): a server that merely waits has not refused. */
const patienceMs = 9_000

let server: TestBus
let foreign: string

beforeAll(async () => {
  server = await startBus({ replicas })
  foreign = await mkdtemp(join(tmpdir(), 'bulkhead-foreign-'))
  const bus = { host: server.host, port: server.port }
  await prepareIdentities({ state: foreign, deployment: 'foreign1', replicas, bus })
})
afterAll(async () => {
  await server.stop()
  await rm(foreign, { recursive: true, force: true })
})

interface Said {
  readonly text: string
  /** Whether the server ended the connection; false when we lost patience. */
  readonly ended: boolean
}

/** Speaks TLS with these options, without a NATS client, and returns what the server says. */
function listen(options: ConnectionOptions): Promise<Said> {
  return new Promise((resolve) => {
    const socket = tlsConnect({ host: server.host, port: server.port, ...options })
    let text = ''
    const end = (ended: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, ended })
    }
    const timer = setTimeout(() => end(false), patienceMs)
    socket.on('data', (data) => {
      text += data.toString()
      end(false)
    })
    socket.on('error', () => end(true))
    socket.on('close', () => end(true))
  })
}

async function identityIn(folder: string) {
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFile(join(folder, name))),
  )
  if (ca === undefined || cert === undefined || key === undefined) throw new Error('no identity')
  return { ca, cert, key }
}

const refused: Said = { text: '', ended: true }

describe('the server', () => {
  it('greets a party over TLS 1.3', async () => {
    const said = await listen(await identityIn(server.credentials('worker')))
    expect(said.text).toMatch(/^INFO /)
  })

  it('says nothing over TLS 1.2', async () => {
    const identity = await identityIn(server.credentials('worker'))
    expect(await listen({ ...identity, maxVersion: 'TLSv1.2' })).toEqual(refused)
  })

  it('says nothing without a client certificate', async () => {
    const { ca } = await identityIn(server.credentials('worker'))
    expect(await listen({ ca })).toEqual(refused)
  })

  it('says nothing to a certificate of another deployment', async () => {
    const { ca } = await identityIn(server.credentials('worker'))
    const { cert, key } = await identityIn(join(foreign, 'worker', 'bus'))
    expect(await listen({ ca, cert, key })).toEqual(refused)
  })

  it('says nothing to an expired certificate', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bulkhead-expired-'))
    try {
      const [certificatePem, keyPem] = await Promise.all(
        ['ca.pem', 'ca.key.pem'].map((name) => readFile(join(server.state, 'pki', name), 'utf8')),
      )
      const files = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
      await prepareCertificate(
        files,
        { name: 'worker', purpose: 'client' },
        { certificatePem: certificatePem ?? '', keyPem: keyPem ?? '' },
        Date.now() - certificateLifeMs - 60_000,
      )
      const { ca } = await identityIn(server.credentials('worker'))
      const [cert, key] = [await readFile(files.certificate), await readFile(files.key)]
      expect(await listen({ ca, cert, key })).toEqual(refused)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('does not take its own certificate for that of a client', async () => {
    const { ca } = await identityIn(server.credentials('worker'))
    const cert = await readFile(join(server.state, 'nats', 'server.pem'))
    const key = await readFile(join(server.state, 'nats', 'server.key.pem'))
    expect(await listen({ ca, cert, key })).toEqual(refused)
  })

  it('says nothing in plaintext, not even to one who waits', { timeout: 20_000 }, async () => {
    const speak = (words: string) =>
      new Promise<Said>((resolve) => {
        const socket = tcpConnect(server.port, server.host, () => socket.write(words))
        let text = ''
        const end = (ended: boolean) => {
          clearTimeout(timer)
          socket.destroy()
          resolve({ text, ended })
        }
        const timer = setTimeout(() => end(false), patienceMs)
        socket.on('data', (data) => {
          text += data.toString('latin1')
        })
        socket.on('error', () => end(true))
        socket.on('close', () => end(true))
      })
    const [silent, talking] = await Promise.all([speak(''), speak('CONNECT {}\r\nPING\r\n')])
    expect([silent.ended, talking.ended]).toEqual([true, true])
    expect(silent.text + talking.text).not.toMatch(/INFO|PONG|ERR/)
  })
})

describe('a client certificate alone', () => {
  const connectWith = async (
    authenticator: Parameters<typeof nkeyAuthenticator>[0] | undefined,
  ) => {
    const folder = server.credentials('worker')
    const connection = await connect({
      servers: `${server.host}:${server.port}`,
      ...(authenticator === undefined ? {} : { authenticator: nkeyAuthenticator(authenticator) }),
      tls: {
        handshakeFirst: true,
        caFile: join(folder, 'ca.pem'),
        certFile: join(folder, 'cert.pem'),
        keyFile: join(folder, 'key.pem'),
      },
      reconnect: false,
    })
    await connection.close()
    return 'connected'
  }

  it('opens no account without an nkey', async () => {
    await expect(connectWith(undefined)).rejects.toThrow('Authorization Violation')
  })

  it('opens no account with an nkey that the accounts do not name', async () => {
    await expect(connectWith(createUser().getSeed())).rejects.toThrow('Authorization Violation')
  })

  it('opens the account of the nkey that they do name', async () => {
    const seed = await readFile(join(server.credentials('worker'), 'nkey.seed'))
    expect(await connectWith(seed)).toBe('connected')
  })
})

describe('connectBus', () => {
  const attempt = async (port: number, credentials = server.credentials('worker')) => {
    const bus = await connectBus({
      credentials,
      address: { host: '127.0.0.1', port },
      reconnect: false,
    })
    await bus.close()
    return 'connected'
  }

  /** Poses as the server with this certificate; returns the words that reached it. */
  async function pretend(certificate: string, privateKey: string): Promise<string> {
    const port = await getPort({ host: '127.0.0.1' })
    const [cert, key] = [await readFile(certificate), await readFile(privateKey)]
    const sockets = new Set<TLSSocket>()
    let heard = ''
    const pretender = createTlsServer({ cert, key }, (socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('data', (data) => {
        heard += data.toString('latin1')
        socket.destroy()
      })
      socket.write(
        'INFO {"server_id":"x","version":"2.14.5","headers":true,"max_payload":1048576,' +
          '"auth_required":true,"tls_required":true,"tls_verify":true,"nonce":"abc"}\r\n',
      )
    })
    pretender.on('tlsClientError', () => {})
    await new Promise<void>((resolve) => pretender.listen(port, '127.0.0.1', resolve))
    try {
      await expect(attempt(port)).rejects.toMatchObject({ code: 'NOT_DELIVERED' })
      return heard
    } finally {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => pretender.close(resolve))
    }
  }

  it('connects to the server of its deployment', async () => {
    expect(await attempt(server.port)).toBe('connected')
  })

  it('would introduce itself to whoever holds the key of the server', async () => {
    const folder = join(server.state, 'nats')
    const heard = await pretend(join(folder, 'server.pem'), join(folder, 'server.key.pem'))
    expect(heard).toContain('CONNECT')
  })

  it('shows nothing to a server of another deployment', async () => {
    const folder = join(foreign, 'nats')
    expect(await pretend(join(folder, 'server.pem'), join(folder, 'server.key.pem'))).toBe('')
  })

  it('shows nothing to an agent that poses as the server with its own certificate', async () => {
    const folder = server.credentials('agent_notes_1')
    expect(await pretend(join(folder, 'cert.pem'), join(folder, 'key.pem'))).toBe('')
  })

  it('speaks to nobody who does not do TLS first', async () => {
    const port = await getPort({ host: '127.0.0.1' })
    let heard = Buffer.alloc(0)
    const plain = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (data) => {
        heard = Buffer.concat([heard, data])
      })
      socket.write('INFO {"server_id":"x","version":"2.14.5","headers":true}\r\n')
    })
    await new Promise<void>((resolve) => plain.listen(port, '127.0.0.1', resolve))
    try {
      await expect(attempt(port)).rejects.toMatchObject({ code: 'NOT_DELIVERED' })
      expect(heard.toString('latin1')).not.toContain('CONNECT')
    } finally {
      await new Promise((resolve) => plain.close(resolve))
    }
  })

  it('is NOT_DELIVERED where nobody listens, and with credentials of another party set', async () => {
    const port = await getPort({ host: '127.0.0.1' })
    await expect(attempt(port)).rejects.toMatchObject({ code: 'NOT_DELIVERED' })
    const mixed = await mkdtemp(join(tmpdir(), 'bulkhead-mixed-'))
    try {
      await cp(server.credentials('worker'), mixed, { recursive: true })
      await cp(join(foreign, 'worker', 'bus', 'nkey.seed'), join(mixed, 'nkey.seed'))
      await expect(attempt(server.port, mixed)).rejects.toMatchObject({ code: 'NOT_DELIVERED' })
    } finally {
      await rm(mixed, { recursive: true, force: true })
    }
  })
})
