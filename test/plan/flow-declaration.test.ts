// What a manifest says of flow is refused when it names what is not there, or leaves to content what
// decides.

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type ActionManifest, createCatalogue } from '../../plan/manifest.ts'
import { probeOutput } from '../../plan/probe.ts'
import { desk } from './house.ts'

const part = z.strictObject({ id: z.string() })
const action: ActionManifest = {
  effect: 'egress',
  audience: { arg: '/to' },
  egress: ['site'],
  input: z.strictObject({ to: z.string(), page: z.string(), text: z.string() }),
  output: z.strictObject({ id: z.string(), parts: z.array(part) }),
  roles: { '/to': 'control', '/page': 'control', '/text': 'content' },
  labels: { '/id': { readers: 'PUBLIC' }, '/parts/*/id': { readers: 'owner' } },
  undo: { action: 'unsend', args: { entry: { $idem: true } } },
  idempotent: true,
  timeoutMs: 1_000,
  maxResultBytes: 1_024,
  summary: 'for tests',
}
const undone: ActionManifest = {
  ...action,
  audience: 'owner',
  egress: [],
  effect: 'write',
  input: z.strictObject({ entry: z.string() }),
  roles: { '/entry': 'opaque' },
  labels: {},
  undo: 'none',
}

function fault(
  change: Partial<ActionManifest>,
  { undo = {}, probe = {} }: Readonly<Record<string, Partial<ActionManifest>>> = {},
): string {
  const manifest = {
    ...desk,
    egress: [
      {
        id: 'site',
        host: 'site.example',
        port: 443,
        protocol: 'https',
        allow: [{ methods: ['GET'], path: '/{page}', bind: { page: '/page' } }],
      },
    ],
    actions: {
      send: { ...action, ...change },
      unsend: { ...undone, ...undo },
      asked: { ...undone, effect: 'read', output: probeOutput, ...probe },
    },
  } as const
  try {
    createCatalogue([manifest])
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

describe('what a manifest says of flow', () => {
  it('is accepted when it is sound', () => {
    expect(fault({})).toBe('')
    expect(fault({ audience: { host: 'site' } })).toBe('')
  })

  it('labels fields that the result has, with readers that there are', () => {
    expect(fault({ labels: { '/no': { readers: 'PUBLIC' } } })).toContain('labels /no')
    expect(fault({ labels: { id: { readers: 'PUBLIC' } } })).toContain('labels id')
    const readers = 'everybody' as 'PUBLIC'
    expect(fault({ labels: { '/id': { readers } } })).toContain('readers that do not exist')
  })

  it('speaks of addresses and quotations where the result has them', () => {
    expect(fault({ addresses: ['/id'], quotes: ['/parts/*/id'] })).toBe('')
    expect(fault({ addresses: ['/no'] })).toContain('speaks of /no')
    expect(fault({ quotes: ['/parts/*/no'] })).toContain('speaks of /parts/*/no')
  })

  it('names its audience by an argument that decides', () => {
    expect(fault({ audience: { arg: '/text' } })).toContain('names its audience by /text')
    expect(fault({ audience: { arg: '/cc' } })).toContain('names its audience by /cc')
  })

  it('chooses its audience among the hosts that it asks', () => {
    const choice = (by: z.ZodType, role: 'control' | 'content' = 'control') =>
      fault({
        audience: { hostOf: '/by' },
        input: action.input.extend({ by }),
        roles: { ...action.roles, '/by': role },
      })
    expect(choice(z.enum(['site']))).not.toContain('audience')
    expect(choice(z.enum(['site']), 'content')).toContain('names its audience by /by')
    expect(choice(z.enum(['site', 'other']))).toContain('no choice of its egress')
    expect(choice(z.string())).toContain('no choice of its egress')
    expect(fault({ audience: { hostOf: '/none' } })).toContain('names its audience by /none')
  })

  it('lets nothing that is content into the line of a request', () => {
    const roles = { ...action.roles, '/page': 'content' } as const
    expect(fault({ roles })).toContain('puts /page into a request')
  })

  it('shows a probe to nobody who does not see what it asks about', () => {
    const probe = { action: 'asked', args: { entry: { $idem: true } } } as const
    expect(fault({ probe })).toBe('')
    expect(fault({ probe }, { probe: { audience: 'PUBLIC' } })).toContain('its probe is seen by')
  })

  it('shows an undo to nobody who does not see what it undoes', () => {
    expect(fault({}, { undo: { audience: 'PUBLIC' } })).toContain('its undo is seen by others')
    expect(fault({ audience: 'PUBLIC' }, { undo: { audience: 'PUBLIC' } })).toBe('')
    const entry = { audience: { arg: '/entry' }, roles: { '/entry': 'control' } } as const
    expect(fault({}, { undo: entry })).toContain('its undo is seen by others')
  })
})
