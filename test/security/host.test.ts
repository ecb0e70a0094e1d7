// One spelling of each host: as many forms refused as accepted, each with the fault that names it.

import { describe, expect, it } from 'vitest'
import { parseHost, parseOrigin } from '../../security/host.ts'

const accepted = [
  'api.open-meteo.com',
  'localhost',
  'nas',
  'a.b-c.d1',
  '127.0.0.1',
  '192.168.1.20',
  '[::1]',
  '[2001:db8::7]',
]

const refused: readonly (readonly [string, string])[] = [
  ['', 'LABEL'],
  ['api.example.com\0.evil.com', 'CONTROL_CHARACTER'],
  ['api.example.com\r\nhost: evil.com', 'CONTROL_CHARACTER'],
  ['api.example.com\t', 'CONTROL_CHARACTER'],
  [' api.example.com', 'CONTROL_CHARACTER'],
  ['api.example.com\u007f', 'CONTROL_CHARACTER'],
  ['user@api.example.com', 'USERINFO'],
  ['api.example.com@evil.com', 'USERINFO'],
  ['api.example.com.', 'TRAILING_DOT'],
  ['API.example.com', 'UPPER_CASE'],
  ['apı.example.com', 'NOT_ASCII'],
  ['exаmple.com', 'NOT_ASCII'],
  ['example。com', 'NOT_ASCII'],
  ['ﬁ.example.com', 'NOT_ASCII'],
  ['xn--exmple-4nf.com', 'PUNYCODE'],
  ['a..example.com', 'LABEL'],
  ['.example.com', 'LABEL'],
  ['-a.example.com', 'LABEL'],
  ['a-.example.com', 'LABEL'],
  ['a_b.example.com', 'LABEL'],
  ['*.example.com', 'LABEL'],
  ['a%2eexample.com', 'LABEL'],
  ['a/b', 'LABEL'],
  [`${'a'.repeat(64)}.com`, 'LABEL'],
  [`${'a.'.repeat(127)}com`, 'LENGTH'],
  ['2130706433', 'IP_SPELLING'],
  ['0x7f000001', 'IP_SPELLING'],
  ['0x7f.0.0.1', 'IP_SPELLING'],
  ['0x', 'IP_SPELLING'],
  ['0177.0.0.1', 'IP_SPELLING'],
  ['127.1', 'IP_SPELLING'],
  ['127.0.0.01', 'IP_SPELLING'],
  ['127.0.0.256', 'IP_SPELLING'],
  ['example.0x7f', 'IP_SPELLING'],
  ['::1', 'IP_SPELLING'],
  ['[::1', 'IP_SPELLING'],
  ['[0:0:0:0:0:0:0:1]', 'IP_SPELLING'],
  ['[::ffff:127.0.0.1]', 'IP_SPELLING'],
  ['[fe80::1%25eth0]', 'IP_SPELLING'],
  ['[v1.a]', 'IP_SPELLING'],
]

describe('a host', () => {
  it.each(accepted)('is read as written: %s', (text) => {
    expect(parseHost(text)).toMatchObject({ ok: true, host: text.replace(/[[\]]/g, '') })
  })

  it.each(refused)('is refused and not repaired: %j (%s)', (text, fault) => {
    expect(parseHost(text)).toEqual({ ok: false, fault })
  })

  it('says whether it is an address', () => {
    expect(parseHost('127.0.0.1')).toMatchObject({ literal: true })
    expect(parseHost('[::1]')).toMatchObject({ literal: true })
    expect(parseHost('localhost')).toMatchObject({ literal: false })
  })
})

describe('an origin', () => {
  it.each([
    ['https://api.example.com', 'api.example.com', 443],
    ['http://api.example.com', 'api.example.com', 80],
    ['https://api.example.com:8443', 'api.example.com', 8443],
    ['http://127.0.0.1:8080', '127.0.0.1', 8080],
    ['http://[::1]:8080', '::1', 8080],
    ['https://[2606:4700::1]', '2606:4700::1', 443],
  ])('names scheme, host and port: %s', (text, host, port) => {
    const protocol = text.startsWith('https') ? 'https' : 'http'
    expect(parseOrigin(text)).toMatchObject({ ok: true, origin: { text, protocol, host, port } })
  })

  it.each([
    ['api.example.com', 'SCHEME'],
    ['ftp://api.example.com', 'SCHEME'],
    ['//api.example.com', 'SCHEME'],
    ['HTTPS://api.example.com', 'UPPER_CASE'],
    ['https://api.example.com/', 'PATH'],
    ['https://api.example.com/a', 'PATH'],
    ['https://api.example.com?a', 'PATH'],
    ['https://api.example.com#a', 'PATH'],
    ['https://api.example.com\\evil.com', 'PATH'],
    ['https://api.example.com%2f', 'PATH'],
    ['https://api.example.com:443', 'PORT'],
    ['http://api.example.com:80', 'PORT'],
    ['https://api.example.com:', 'PORT'],
    ['https://api.example.com:0', 'PORT'],
    ['https://api.example.com:0443', 'PORT'],
    ['https://api.example.com:65536', 'PORT'],
    ['https://api.example.com:+8', 'PORT'],
    ['https://api.example.com:8:9', 'IP_SPELLING'],
    ['https://user:pass@api.example.com', 'USERINFO'],
    ['https://api.example.com.', 'TRAILING_DOT'],
    ['https://0x7f.1:80', 'IP_SPELLING'],
    ['https:// api.example.com', 'CONTROL_CHARACTER'],
  ])('is refused when anything else is there: %s (%s)', (text, fault) => {
    expect(parseOrigin(text)).toEqual({ ok: false, fault })
  })
})
