// What of a request may leave: each refusal with its code, and the line that would add the rule.

import { describe, expect, it } from 'vitest'
import { EgressError } from '../../egress/codes.ts'
import type { EgressRequest, GatewayAgent } from '../../egress/contract.ts'
import { faultOfPath } from '../../egress/paths.ts'
import { decideRequest } from '../../egress/rules.ts'

const agent: GatewayAgent = {
  agent: 'lamp',
  n: 0,
  socket: '/nowhere',
  epochFile: '/nowhere',
  nkeyFile: '/nowhere',
  actions: { set: ['bridge', 'many', 'unset'], look: ['bridge'], idle: [] },
  egress: [
    {
      id: 'bridge',
      origins: ['https://bridge.example'],
      privateAddress: false,
      allow: [
        { methods: ['GET'], path: '/v1/forecast', query: ['days'], bind: { lat: '/place/lat' } },
        { methods: ['PUT'], path: '/clip/{id}', bind: { id: '/lampId' } },
        { methods: ['GET'], path: '/open/*', query: '*' },
        { methods: ['POST'], path: '/open/form' },
        { methods: ['PROPFIND', 'REPORT'], path: '/dav/*' },
      ],
    },
    {
      id: 'many',
      origins: ['https://a.example', 'https://b.example:8443'],
      setting: 'lamp.servers',
      privateAddress: false,
      allow: [{ methods: ['GET'], path: '/*' }],
    },
    {
      id: 'unset',
      origins: [],
      setting: 'lamp.other',
      privateAddress: false,
      allow: [{ methods: ['GET'], path: '/*' }],
    },
  ],
}
const args = { lampId: 'a b@1', place: { lat: 48.2 }, none: null }

const base: EgressRequest = { egress: 'bridge', method: 'GET', path: '/open/x', maxBytes: 100 }
const decideWith = (changes: Partial<EgressRequest>, action = 'set', given: unknown = args) =>
  decideRequest({ agent, action, args: given, request: { ...base, ...changes } })

function refusalOf(changes: Partial<EgressRequest>, action?: string, given?: unknown): EgressError {
  try {
    decideWith(changes, action, given)
  } catch (error) {
    if (error instanceof EgressError) return error
    throw error
  }
  throw new Error('it was allowed')
}

describe('a request that fits a rule', () => {
  it('leaves with exactly what was compared', () => {
    const request = { path: '/v1/forecast', query: { lat: '48.2', days: '3 & more' } }
    expect(decideWith(request)).toMatchObject({
      origin: { host: 'bridge.example', port: 443 },
      method: 'GET',
      target: '/v1/forecast?lat=48.2&days=3+%26+more',
      headers: {},
      maxBytes: 100,
    })
  })

  it('carries an argument in its path, encoded in one way', () => {
    expect(decideWith({ method: 'PUT', path: '/clip/a%20b@1', body: '{}' })).toMatchObject({
      target: '/clip/a%20b@1',
      body: '{}',
    })
  })

  it('may ask a collection, with a body and how deep it looks', () => {
    const headers = { depth: '1', 'content-type': 'text/xml;charset=UTF-8' }
    const request = { path: '/dav/anna/', headers, body: '<propfind/>' }
    expect(decideWith({ ...request, method: 'PROPFIND' })).toMatchObject({
      method: 'PROPFIND',
      headers,
      body: '<propfind/>',
    })
    expect(decideWith({ ...request, method: 'REPORT' }).method).toBe('REPORT')
  })

  it('may name the version that it changes', () => {
    const headers = { 'if-match': '"a1"' }
    const put = { method: 'PUT', path: '/clip/a%20b@1', body: '{}', headers } as const
    expect(decideWith(put).headers).toEqual(headers)
  })

  it('may choose among the origins that are set', () => {
    const origin = 'https://b.example:8443'
    expect(decideWith({ egress: 'many', origin, path: '/' }).origin.port).toBe(8443)
  })

  it('may use any query where the rule says so', () => {
    expect(decideWith({ query: { any: 'thing' } }).target).toBe('/open/x?any=thing')
  })
})

describe('a request that fits none', () => {
  it.each<[string, Partial<EgressRequest>, string]>([
    ['another id', { egress: 'elsewhere' }, 'EGRESS_UNDECLARED'],
    ['another host', { origin: 'https://evil.example' }, 'ORIGIN_REFUSED'],
    ['another scheme', { origin: 'http://bridge.example' }, 'ORIGIN_REFUSED'],
    ['another port', { origin: 'https://bridge.example:444' }, 'ORIGIN_REFUSED'],
    ['a subdomain', { origin: 'https://x.bridge.example' }, 'ORIGIN_REFUSED'],
    ['an address', { origin: 'https://127.0.0.1' }, 'ORIGIN_REFUSED'],
    ['a host with NUL', { origin: 'https://evil.example\0.bridge.example' }, 'ORIGIN_INVALID'],
    ['a trailing dot', { origin: 'https://bridge.example.' }, 'ORIGIN_INVALID'],
    ['upper case', { origin: 'https://Bridge.example' }, 'ORIGIN_INVALID'],
    ['userinfo', { origin: 'https://bridge.example@evil.example' }, 'ORIGIN_INVALID'],
    ['no choice among several', { egress: 'many', path: '/' }, 'ORIGIN_REFUSED'],
    ['a setting that is not set', { egress: 'unset', path: '/' }, 'NOT_CONFIGURED'],
    ['a path out of its folder', { path: '/open/../elsewhere' }, 'PATH_INVALID'],
    ['a path out of it, encoded', { path: '/open/%2E%2E/elsewhere' }, 'PATH_INVALID'],
    ['a path with two slashes', { path: '/open//evil.example' }, 'PATH_INVALID'],
    ['a path with a query in it', { path: '/open/x?a=b' }, 'PATH_INVALID'],
    ['a path with a second line', { path: '/open/x\r\nhost: evil.example' }, 'PATH_INVALID'],
    ['another path', { path: '/elsewhere' }, 'PATH_REFUSED'],
    ['the folder itself', { path: '/open' }, 'PATH_REFUSED'],
    ['a longer path', { path: '/v1/forecast/x', query: { lat: '48.2' } }, 'PATH_REFUSED'],
    ['another method', { method: 'DELETE' }, 'METHOD_REFUSED'],
    ['a method where another is allowed', { method: 'PROPFIND' }, 'METHOD_REFUSED'],
    ['a write where one may look', { method: 'PUT', path: '/dav/anna/' }, 'METHOD_REFUSED'],
    ['a second place', { headers: { destination: 'https://evil.example/' } }, 'HEADER_REFUSED'],
    ['the method of another path', { path: '/v1/forecast', method: 'PUT' }, 'METHOD_REFUSED'],
    ['another query key', { path: '/v1/forecast', query: { evil: '1' } }, 'QUERY_REFUSED'],
    [
      'a query where none is allowed',
      { method: 'POST', path: '/open/form', query: { a: '1' } },
      'QUERY_REFUSED',
    ],
    [
      'another value of a bound key',
      { path: '/v1/forecast', query: { lat: '48.3' } },
      'BINDING_MISMATCH',
    ],
    ['a bound key left out', { path: '/v1/forecast' }, 'BINDING_MISMATCH'],
    ['another path parameter', { method: 'PUT', path: '/clip/other' }, 'BINDING_MISMATCH'],
    ['an empty path parameter', { method: 'PUT', path: '/clip/' }, 'PATH_REFUSED'],
    ['a query key with a newline', { query: { 'a\r\nb': '1' } }, 'QUERY_INVALID'],
    ['an empty query key', { query: { '': '1' } }, 'QUERY_INVALID'],
    ['a query value with NUL', { query: { a: '\0' } }, 'QUERY_INVALID'],
    ['a query value that is no text', { query: { a: '\ud800' } }, 'QUERY_INVALID'],
    ['a query without end', { query: { a: 'ä'.repeat(4_000) } }, 'QUERY_INVALID'],
    ['a body with GET', { body: 'x' }, 'BODY_REFUSED'],
    [
      'a body that is no text',
      { method: 'POST', path: '/open/form', body: '\ud800' },
      'BODY_REFUSED',
    ],
    [
      'a long body',
      { method: 'POST', path: '/open/form', body: 'ä'.repeat(200_000) },
      'BODY_REFUSED',
    ],
    ['another host header', { headers: { host: 'evil.example' } }, 'HEADER_REFUSED'],
    ['a credential', { headers: { authorization: 'Bearer x' } }, 'HEADER_REFUSED'],
    ['a cookie', { headers: { cookie: 'a=b' } }, 'HEADER_REFUSED'],
    ['a length', { headers: { 'content-length': '0' } }, 'HEADER_REFUSED'],
    ['an encoding', { headers: { 'transfer-encoding': 'chunked' } }, 'HEADER_REFUSED'],
    ['a header in upper case', { headers: { Accept: '*/*' } }, 'HEADER_REFUSED'],
    ['a header with a second line', { headers: { accept: 'a\r\nhost: evil' } }, 'HEADER_REFUSED'],
    ['a header with NUL', { headers: { accept: 'a\0' } }, 'HEADER_REFUSED'],
    ['a header that is not ASCII', { headers: { accept: 'ä' } }, 'HEADER_REFUSED'],
    ['an empty header', { headers: { accept: '' } }, 'HEADER_REFUSED'],
    ['a header without end', { headers: { accept: 'a'.repeat(1_025) } }, 'HEADER_REFUSED'],
  ])('is refused: %s', (_what, changes, code) => {
    expect(refusalOf(changes).code).toBe(code)
  })

  it('is refused to an action that does not list the egress', () => {
    expect(refusalOf({}, 'idle').code).toBe('EGRESS_NOT_OF_ACTION')
    expect(refusalOf({ egress: 'many' }, 'look').code).toBe('EGRESS_NOT_OF_ACTION')
    expect(refusalOf({}, 'absent').code).toBe('EGRESS_NOT_OF_ACTION')
    expect(refusalOf({}, 'constructor').code).toBe('EGRESS_NOT_OF_ACTION')
  })

  it('cannot stand for an argument that the step does not have', () => {
    const path = '/v1/forecast'
    expect(refusalOf({ path, query: { lat: '48.2' } }, 'set', {}).code).toBe('BINDING_MISMATCH')
    expect(decideWith({ path }, 'set', {}).target).toBe(path)
    expect(refusalOf({ method: 'PUT', path: '/clip/undefined' }, 'set', {}).code).toBe(
      'BINDING_MISMATCH',
    )
  })

  it('cannot stand for an argument that has no one text', () => {
    const put = { method: 'PUT', path: '/clip/null' } as const
    expect(refusalOf(put, 'set', { lampId: null }).code).toBe('BINDING_MISMATCH')
    const object = { method: 'PUT', path: '/clip/%5Bobject%20Object%5D' } as const
    expect(refusalOf(object, 'set', { lampId: {} }).code).toBe('BINDING_MISMATCH')
  })
})

describe('a refusal', () => {
  it('names the line that would add the rule', () => {
    expect(refusalOf({ egress: 'news' }).missing).toBe(
      "agents/lamp/manifest.ts: egress: [{ id: 'news', ... }]",
    )
    expect(refusalOf({}, 'idle').missing).toBe(
      "agents/lamp/manifest.ts: actions.idle: egress: ['bridge']",
    )
    expect(refusalOf({ path: '/elsewhere' }).missing).toBe(
      "agents/lamp/manifest.ts: egress bridge: allow: [{ methods: ['GET'], path: '/elsewhere' }]",
    )
    expect(refusalOf({ egress: 'many', origin: 'https://c.example' }).missing).toBe(
      'bulkhead.yaml: agents: lamp: servers: https://a.example,https://b.example:8443,https://c.example',
    )
    expect(refusalOf({ egress: 'unset' }).missing).toBe(
      'bulkhead.yaml: agents: lamp: other: https://<host>',
    )
  })

  it('quotes nothing of an agent that a terminal would act on', () => {
    expect(refusalOf({ egress: "\u001b[31m'\n" }).missing).toMatch(/^[ -~]*\?/)
  })
})

describe('a path', () => {
  it.each([
    '/',
    '/a',
    '/a/',
    '/a.b/c-d_e~f',
    '/%C3%A4',
    '/a%20b',
    "/$&'()*+,=:@!",
    '/a...b',
    '/%5B',
  ])('is taken as written: %s', (path) => {
    expect(faultOfPath(path)).toBeUndefined()
  })

  it.each([
    '',
    'a',
    '*',
    'http://evil.example/',
    '//evil.example/a',
    '/a//b',
    '/..',
    '/a/../b',
    '/a/./b',
    '/a/...',
    '/a/..;/b',
    '/%2e%2e/a',
    '/%2E%2E/a',
    '/.%2E/a',
    '/a%2Fb',
    '/a%2fb',
    '/a%5Cb',
    '/a\\b',
    '/a%00b',
    '/a%0D%0Ab',
    '/a\r\nb',
    '/a\0',
    '/a b',
    '/a?b=c',
    '/a#b',
    '/a%3Fb',
    '/a%23b',
    '/a;b',
    '/a%3Bb',
    '/a%252e',
    '/a%25',
    '/a%',
    '/a%2',
    '/a%zz',
    '/a%c3%a4',
    '/%C3',
    '/%61',
    '/a%2Db',
    '/ä',
    '/a"b',
    '/a<b',
    '/{a}',
    '/a|b',
    `/${'a'.repeat(2_048)}`,
  ])('is refused and not repaired: %j', (path) => {
    expect(faultOfPath(path)).toBeTypeOf('string')
  })
})
