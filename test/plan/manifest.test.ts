// Manifests are code of ours, and wrong ones must not reach a deployment: each rule by a manifest that
// breaks it alone.

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { catalogue } from '../../agents/catalogue.ts'
import {
  type ActionManifest,
  type AgentManifest,
  createCatalogue,
  defineManifest,
  ManifestError,
} from '../../plan/manifest.ts'
import { desk, house } from './house.ts'

const { write, unwrite } = desk.actions
const agentWith = (change: Partial<AgentManifest>): AgentManifest => ({ ...desk, ...change })
const mountOf = (at: string, config = 'desk.folder') =>
  agentWith({ mounts: [{ from: { config }, at, mode: 'ro' }] })
const withWrite = (change: Partial<ActionManifest>): AgentManifest =>
  agentWith({ actions: { write: { ...write, ...change }, unwrite, look: desk.actions.look } })
const probing = (action: string) => ({ action, args: {} })
const undoing = (action: string, args: object = {}): AgentManifest =>
  withWrite({ undo: { action, args } as ActionManifest['undo'] })
const undoArgs = { text: { $args: '/text' }, entry: { $idem: true } }

const { '/text': _, ...rolesWithoutText } = write.roles
const withInput = (input: z.ZodObject, roles: ActionManifest['roles']) =>
  agentWith({ actions: { look: { ...desk.actions.look, input, roles } } })

describe('a manifest', () => {
  it.each([
    ['a name that no plan could write', agentWith({ name: 'de_sk' }), 'not an agent'],
    ['an empty name', agentWith({ name: '' }), 'not an agent'],
    ['a name that is a path', agentWith({ name: '../desk' }), 'not an agent'],
    ['no replica', agentWith({ replicas: 0 }), 'no replica'],
    ['half a replica', agentWith({ replicas: 1.5 }), 'no replica'],
    ['replicas that are no number', agentWith({ replicas: Number.NaN }), 'no replica'],
    ['no idle time', agentWith({ idleMs: 0 }), 'no idle time'],
    [
      'an action that no plan could write',
      agentWith({ actions: { 'do-it': write } }),
      'not an action',
    ],
    [
      'an action that takes too long',
      withWrite({ timeoutMs: 30 * 60_000 + 1 }),
      'longer than any action may',
    ],
    [
      'an action without a time',
      withWrite({ timeoutMs: Number.NaN }),
      'longer than any action may',
    ],
    ['an action with no time', withWrite({ timeoutMs: 0 }), 'longer than any action may'],
    ['too large a result', withWrite({ maxResultBytes: 512 * 1024 + 1 }), 'too large a result'],
    [
      'an input that is not strict',
      withInput(z.object({ a: z.string() }), { '/a': 'control' }),
      'not a strict object',
    ],
    [
      'an input that is not strict inside',
      withInput(z.strictObject({ a: z.object({ b: z.string() }) }), { '/a/b': 'control' }),
      '/a is not a strict object',
    ],
    [
      'an input that may be anything',
      withInput(z.strictObject({ a: z.unknown() }), { '/a': 'control' }),
      'may be anything',
    ],
    [
      'an input that is recursive',
      withInput(z.strictObject({ a: z.json() }), { '/a': 'control' }),
      'cannot be checked',
    ],
    [
      'an effect on what no rule knows of',
      withWrite({ touches: ['rocket' as 'door'] }),
      'of which no rule knows',
    ],
    ['an input without a role', withWrite({ roles: rolesWithoutText }), '/text has no role'],
    [
      'a role without an input',
      withWrite({ roles: { ...write.roles, '/more': 'content' } }),
      'no input /more',
    ],
    [
      'a role for an object instead of its leaves',
      withInput(z.strictObject({ a: z.strictObject({ b: z.string() }) }), { '/a': 'content' }),
      '/a/b has no role',
    ],
    [
      'a write that cannot be tried',
      agentWith({
        actions: { put: { ...desk.actions.stamp, input: z.strictObject({}), roles: {} } },
      }),
      'no dryRun',
    ],
    ['an undo that is not there', undoing('undo', undoArgs), 'not an action'],
    ['an undo of a prototype', undoing('toString', undoArgs), 'not an action'],
    [
      'an undo with an argument that is not there',
      undoing('unwrite', { ...undoArgs, more: 1 }),
      'no argument more',
    ],
    [
      'an undo with an argument of a prototype',
      undoing('unwrite', { ...undoArgs, toString: 1 }),
      'no argument toString',
    ],
    [
      'an undo that lacks an argument',
      undoing('unwrite', { text: { $args: '/text' } }),
      'lacks the argument entry',
    ],
    [
      'an undo that refers to no argument',
      undoing('unwrite', { ...undoArgs, text: { $args: '/note' } }),
      'names nothing',
    ],
    [
      'an undo that refers to no result',
      undoing('unwrite', { ...undoArgs, text: { $result: '/note' } }),
      'names nothing',
    ],
    [
      'an undo whose pointer is none',
      undoing('unwrite', { ...undoArgs, text: { $args: 'text' } }),
      'names nothing',
    ],
    [
      'an undo with a false $idem',
      undoing('unwrite', { ...undoArgs, entry: { $idem: false } }),
      'names nothing',
    ],
    [
      'an undo with two sources in one',
      undoing('unwrite', { ...undoArgs, text: { $args: '/text', $idem: true } }),
      'names nothing',
    ],
    ['an undo with no source', undoing('unwrite', { ...undoArgs, text: {} }), 'names nothing'],
    [
      'an undo with what may be absent',
      undoing('unwrite', { ...undoArgs, text: { $args: '/place' } }),
      'does not fit',
    ],
    [
      'an undo with a default that is filled in later',
      undoing('unwrite', { ...undoArgs, dryRun: { $args: '/dryRun' } }),
      'does not fit',
    ],
    [
      'an undo with another type',
      undoing('unwrite', { ...undoArgs, dryRun: 'no' }),
      'does not fit',
    ],
    ['a probe that is no action', withWrite({ probe: probing('nothing') }), 'no read of the agent'],
    ['a probe that writes', withWrite({ probe: probing('unwrite') }), 'no read of the agent'],
    ['a probe that answers otherwise', withWrite({ probe: probing('look') }), 'as a probe must'],
    ['a mount outside /data', mountOf('/etc'), 'outside /data'],
    ['a mount that climbs out of /data', mountOf('/data/../etc'), 'outside /data'],
    ['a mount of all of /data', mountOf('/data/'), 'outside /data'],
    ['a mount within another', mountOf('/data/a/b'), 'outside /data'],
    ['a mount of another agent', mountOf('/data/a', 'post.folder'), 'another agent'],
    ['a mount of an agent with a longer name', mountOf('/data/a', 'desks.folder'), 'another agent'],
    ['a mount of no setting', mountOf('/data/a', 'desk.'), 'another agent'],
    ['a mount of a setting of a setting', mountOf('/data/a', 'desk.a.b'), 'another agent'],
    [
      'two mounts in one place',
      agentWith({ mounts: [...mountOf('/data/a').mounts, ...mountOf('/data/a', 'desk.b').mounts] }),
      'in one place',
    ],
  ])('is refused with %s', (_why, manifest, reason) => {
    expect(() => defineManifest(manifest)).toThrow(ManifestError)
    expect(() => defineManifest(manifest)).toThrow(reason)
    expect(() => createCatalogue([manifest])).toThrow(reason)
  })

  it('is returned as it was when it is right', () => {
    const manifest = mountOf('/data/calendars')
    expect(defineManifest(manifest)).toBe(manifest)
  })
})

describe('a catalogue', () => {
  it('has each agent by its name and no others', () => {
    expect([...house.keys()]).toEqual(['desk', 'post', 'web'])
    expect(house.get('toString')).toBeUndefined()
  })

  it('is refused with two agents of one name', () => {
    expect(() => createCatalogue([desk, { ...desk }])).toThrow('two agents are named desk')
  })

  it('of the project passes, and each effect that a plan may ask for has its undo', () => {
    const manifests = [...catalogue.values()]
    expect(createCatalogue(manifests).size).toBe(manifests.length)
    expect(manifests.map(({ name }) => name)).toEqual([
      'backup',
      'calendar',
      'feeds',
      'finance',
      'health',
      'memory',
      'model',
      'notes',
      'reminders',
      'screentime',
      'weather',
    ])
    const writes = manifests.flatMap(({ actions }) => Object.values(actions))
    expect(writes.filter(({ effect, undo }) => effect === 'write' && undo !== 'none')).toHaveLength(
      12,
    )
  })
})
