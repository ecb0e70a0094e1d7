// What a manifest may say of the network: each fault is found where the manifest is defined.

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  type ActionManifest,
  type AgentManifest,
  defineManifest,
  type EgressDeclaration,
  type EgressRule,
} from '../../plan/manifest.ts'

const rule: EgressRule = { methods: ['GET'], path: '/v1/{id}', bind: { id: '/id' } }
const weather: EgressDeclaration = {
  id: 'api',
  host: 'api.example.com',
  port: 443,
  protocol: 'https',
  allow: [rule],
}
const fetchAction: ActionManifest = {
  effect: 'egress',
  input: z.strictObject({ id: z.string(), other: z.number().optional() }),
  output: z.strictObject({}),
  roles: { '/id': 'control', '/other': 'control' },
  audience: { host: 'api' },
  egress: ['api'],
  undo: 'none',
  idempotent: true,
  timeoutMs: 1_000,
  maxResultBytes: 1_000,
  summary: 'asks',
}
const define = (
  egress: readonly EgressDeclaration[],
  action: Partial<ActionManifest> = {},
): AgentManifest =>
  defineManifest({
    name: 'weather',
    summary: 'asks',
    replicas: 1,
    alwaysOn: false,
    idleMs: 1_000,
    storage: 'none',
    perUser: false,
    mounts: [],
    egress,
    actions: { fetch: { ...fetchAction, ...action } },
  })
const withRule = (changes: Partial<EgressRule>) =>
  define([{ ...weather, allow: [{ ...rule, ...changes }] }])

describe('a declaration of egress', () => {
  it('may name hosts, settings, paths, bindings, credentials and pins', () => {
    expect(() => define([weather])).not.toThrow()
    expect(() =>
      define([
        {
          ...weather,
          host: { config: 'weather.url' },
          allow: [
            { methods: ['GET', 'POST'], path: '/*', query: '*' },
            { methods: ['GET'], path: '/' },
            { methods: ['GET'], path: '/a/', bind: { q: '/other' }, query: ['r'] },
          ],
          credential: { secret: { config: 'weather.key' }, as: { header: 'x-api-key' } },
          pin: 'A'.repeat(43).concat('='),
        },
      ]),
    ).not.toThrow()
  })

  it.each<[string, Partial<EgressDeclaration>, RegExp]>([
    ['an upper-case host', { host: 'API.example.com' }, /UPPER_CASE/],
    ['a host with a trailing dot', { host: 'api.example.com.' }, /TRAILING_DOT/],
    ['a host with NUL', { host: 'a\0.example.com' }, /CONTROL_CHARACTER/],
    ['an address', { host: '127.0.0.1' }, /only bulkhead.yaml/],
    ["another agent's setting", { host: { config: 'calendar.url' } }, /another agent/],
    ['an id that is none', { id: 'PUBLIC' }, /no proper id/],
    ['no port', { port: 0 }, /no proper port/],
    ['a port that is too high', { port: 65_536 }, /no proper port/],
    ['no rule', { allow: [] }, /allows nothing/],
    ['a house that it may not ask in', { onlyPrivate: true }, /may not ask there/],
    ['a wait that is none', { requestMs: 0 }, /waits longer/],
    ['a wait beyond any', { requestMs: 300_001 }, /waits longer/],
    ['a pin that is none', { pin: 'abc' }, /no SHA-256/],
    ['a pin without TLS', { pin: 'A'.repeat(43).concat('='), protocol: 'http' }, /pins a key/],
    [
      "another agent's secret",
      { credential: { secret: { config: 'mail.key' }, as: 'bearer' } },
      /secret/,
    ],
    [
      'a credential as host header',
      { credential: { secret: { config: 'weather.key' }, as: { header: 'host' } } },
      /reserved/,
    ],
    [
      'a credential in clear',
      { protocol: 'http', credential: { secret: { config: 'weather.key' }, as: 'basic' } },
      /in clear/,
    ],
  ])('is refused: %s', (_what, changes, message) => {
    expect(() => define([{ ...weather, ...changes }])).toThrow(message)
  })

  it.each<[string, Partial<EgressRule>, RegExp]>([
    ['no method', { methods: [] }, /method/],
    ['a relative path', { path: 'v1', bind: {} }, /absolute/],
    ['dots in the path', { path: '/a/../b', bind: {} }, /segment/],
    ['an empty segment', { path: '/a//b', bind: {} }, /segment/],
    ['an encoded path', { path: '/a%2fb', bind: {} }, /segment/],
    ['a star in the middle', { path: '/a/*/b', bind: {} }, /segment/],
    ['a parameter within a segment', { path: '/a-{id}' }, /segment/],
    ['a parameter that is not bound', { bind: {} }, /\{id\} is bound to nothing/],
    ['a parameter twice', { path: '/{id}/{id}' }, /twice/],
    ['a binding to no pointer', { bind: { id: 'id' } }, /no pointer/],
    ['a binding to the whole', { bind: { id: '' } }, /no pointer/],
    [
      'a binding to an input that is not there',
      { bind: { id: '/absent' } },
      /every rule|no action has/,
    ],
    [
      'a second binding to an input that is not there',
      { bind: { id: '/id', q: '/absent' } },
      /every rule|no action has/,
    ],
    ['a query key that is none', { query: ['a b'] }, /query key/],
  ])('is refused with a rule that has %s', (_what, changes, message) => {
    expect(() => withRule(changes)).toThrow(message)
  })

  it('may be a tunnel, which has host and port and nothing else', () => {
    const mail = {
      ...weather,
      host: 'mail.example.com',
      port: 993,
      protocol: 'tls',
      allow: [],
    } as const
    expect(() => define([mail])).not.toThrow()
    expect(() => define([{ ...mail, host: { config: 'weather.imap' } }])).not.toThrow()
    const refused = (changes: Partial<EgressDeclaration>) => () => define([{ ...mail, ...changes }])
    expect(refused({ allow: [rule] })).toThrow(/rules for requests/)
    expect(refused({ pin: 'A'.repeat(43).concat('=') })).toThrow(/only its agent can check/)
    expect(refused({ credential: { secret: { config: 'weather.key' }, as: 'bearer' } })).toThrow(
      /nobody can add/,
    )
    expect(refused({ onlyPrivate: true })).toThrow(/stay in the house/)
    expect(refused({ port: 0 })).toThrow(/no proper port/)
    expect(refused({ host: 'MAIL.example.com' })).toThrow(/UPPER_CASE/)
  })

  it('may not stand open without a step until approvals can enable that', () => {
    expect(() => withRule({ standing: true })).toThrow(/needs an approval.*not built/)
    expect(() => withRule({ standing: true, methods: ['GET', 'PUT'] })).toThrow(/not GET/)
    expect(() => withRule({ standing: false })).not.toThrow()
  })

  it('is refused twice with one id', () => {
    expect(() => define([weather, weather])).toThrow(/twice/)
  })

  it('binds only what some action has', () => {
    const other: EgressRule = { methods: ['GET'], path: '/x/{id}', bind: { id: '/absent' } }
    expect(() => define([{ ...weather, allow: [rule, other] }])).toThrow(/no action has/)
  })
})

describe('an action that asks the network', () => {
  it.each<[string, Partial<ActionManifest>, RegExp]>([
    ['an id that is not declared', { egress: ['api', 'other'] }, /other, which is not declared/],
    ['the effect of a read', { effect: 'read' }, /effect is not read/],
    ['a host of another action as its audience', { audience: { host: 'other' } }, /does not ask/],
    ['an audience although it asks nobody', { egress: [] }, /does not ask/],
  ])('is refused with %s', (_what, changes, message) => {
    expect(() => define([weather], changes)).toThrow(message)
  })

  it('has the arguments of at least one rule of each egress that it uses', () => {
    const without = { ...fetchAction, input: z.strictObject({}), roles: {} }
    const manifest = define([weather])
    const actions = { ...manifest.actions, bare: without }
    expect(() => defineManifest({ ...manifest, actions })).toThrow(/bare: its input lacks/)
    const open: EgressRule = { methods: ['GET'], path: '/open' }
    const egress = [{ ...weather, allow: [rule, open] }]
    expect(() => defineManifest({ ...manifest, egress, actions })).not.toThrow()
  })

  it('chooses among requests, never among tunnels', () => {
    const by = z.enum(['api', 'mail'])
    const input = z.strictObject({ id: z.string(), by })
    const roles = { '/id': 'control', '/by': 'control' } as const
    const choice = { ...{ input, roles }, audience: { hostOf: '/by' }, egress: ['api', 'mail'] }
    const mail = { ...weather, id: 'mail' }
    expect(() => define([weather, mail], choice)).not.toThrow()
    const tunnel = { ...mail, protocol: 'tls', allow: [] } as const
    expect(() => define([weather, tunnel], choice)).toThrow(/through a tunnel/)
  })

  it('may declare another audience', () => {
    expect(() => define([weather], { audience: 'PUBLIC' })).not.toThrow()
  })
})
