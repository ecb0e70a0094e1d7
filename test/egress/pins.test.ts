// Pinned keys with real TLS servers: beside the certificate's chain and name, and in their place for a
// device of the house whose certificate nobody signed.

import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ResolvedEgress } from '../../egress/contract.ts'
import { isIdentifiedByPin } from '../../egress/departure.ts'
import { prepareAuthority, prepareCertificate } from '../../security/pki/certificates.ts'
import {
  codeOf,
  createAsk,
  declared,
  type GatewayHome,
  type Outside,
  openGatewayHome,
  startOutside,
} from '../support/gateway.ts'

let home: GatewayHome
/** A lamp bridge: self-signed, for a name that is not its address. */
let bridge: Outside
let bridgePin: string
const otherPin = createHash('sha256').update('another key').digest('base64')

beforeAll(async () => {
  home = await openGatewayHome()
  const file = (name: string) => join(home.folder, name)
  const files = { certificate: file('bridge.pem'), key: file('bridge.key.pem') }
  // An authority's own certificate is one that nobody else signed.
  await prepareAuthority(files, Date.now())
  const cert = readFileSync(files.certificate, 'utf8')
  const parsed = new X509Certificate(cert)
  expect(parsed.issuer).toBe(parsed.subject)
  const spki = parsed.publicKey.export({ type: 'spki', format: 'der' })
  bridgePin = createHash('sha256').update(spki).digest('base64')
  const key = readFileSync(files.key, 'utf8')
  bridge = await startOutside((_request, response) => response.end('lamps'), { cert, key })
})
afterAll(async () => {
  await bridge.close()
  await home.close()
})
beforeEach(() => {
  bridge.seen.length = 0
})

const ask = createAsk(() => home)
const inHouse = (changes: Partial<ResolvedEgress>) =>
  declared(bridge.origin, { privateAddress: true, ...changes })

describe('a device of the house with a certificate of its own', () => {
  it('is known by its pinned key, whatever its certificate says', async () => {
    expect(await ask(inHouse({ pin: bridgePin }))).toMatchObject({ ok: true, status: 200 })
    const named = declared(`https://bridge.example:${bridge.port}`, {
      privateAddress: true,
      pin: bridgePin,
    })
    const resolve = async () => ['127.0.0.1']
    expect(await ask(named, {}, { resolve })).toMatchObject({ ok: true, status: 200 })
  })

  it('with another key is refused, and nothing is sent to it', async () => {
    expect(codeOf(await ask(inHouse({ pin: otherPin })))).toBe('PIN_MISMATCH')
    expect(bridge.seen).toEqual([])
  })

  it('is refused without a pin', async () => {
    expect(codeOf(await ask(inHouse({})))).toBe('TLS_REFUSED')
    expect(bridge.seen).toEqual([])
  })

  it('is refused where the manifest does not say that it is one', async () => {
    const egress = declared(bridge.origin, { pin: bridgePin })
    expect(codeOf(await ask(egress))).toBe('TLS_REFUSED')
    expect(bridge.seen).toEqual([])
  })
})

describe('a pin in place of a certificate', () => {
  it.each([
    ['an address of the house', '192.168.1.2', true],
    ['this machine', '127.0.0.1', true],
    ['a public address', '93.184.216.34', false],
    ['metadata', '169.254.169.254', false],
  ])('is enough at %s: %s %s', (_what, address, enough) => {
    const egress = inHouse({ pin: bridgePin })
    expect(isIdentifiedByPin(egress, address)).toBe(enough)
    expect(isIdentifiedByPin(inHouse({}), address)).toBe(false)
  })
})

describe('a pin of any other server', () => {
  it('stands beside chain and name, and replaces neither', async () => {
    const file = (name: string) => join(home.folder, name)
    const authority = await prepareAuthority(
      { certificate: file('ca2.pem'), key: file('ca2.key.pem') },
      Date.now(),
    )
    const files = { certificate: file('second.pem'), key: file('second.key.pem') }
    await prepareCertificate(files, { name: 'outside', purpose: 'server' }, authority, Date.now())
    const cert = readFileSync(files.certificate, 'utf8')
    const key = readFileSync(files.key, 'utf8')
    const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
    const pin = createHash('sha256').update(spki).digest('base64')
    const server = await startOutside((_request, response) => response.end('x'), { cert, key })
    try {
      const egress = declared(server.origin, { pin })
      expect(codeOf(await ask(egress))).toBe('TLS_REFUSED')
      const trusted = authority.certificatePem
      expect(await ask(egress, {}, { trusted })).toMatchObject({ ok: true })
      const wrong = declared(server.origin, { pin: otherPin })
      expect(codeOf(await ask(wrong, {}, { trusted }))).toBe('PIN_MISMATCH')
      expect(server.seen).toHaveLength(1)
    } finally {
      await server.close()
    }
  })
})
