// Two more agents for the plans of an attacker: one that keeps what it is given and gives it back, without
// a word of where it came from, and one whose answers cost nobody anything and whose questions everybody
// sees. With those of test/plan/house.ts and the one for mail they are all that a plan can misuse.

import { z } from 'zod'
import { type Catalogue, createCatalogue, defineManifest } from '../../plan/manifest.ts'
import { house } from '../plan/house.ts'
import { mail } from './mail-manifest.ts'
import { plainAction, plainAgent } from './manifest-defaults.ts'

const dryRun = z.boolean().default(false)

/** Declares no label: what is read back is the owner's and nobody's word. */
export const shelf = defineManifest({
  ...plainAgent,
  name: 'shelf',
  actions: {
    keep: {
      ...plainAction,
      effect: 'write',
      input: z.strictObject({
        text: z.string(),
        where: z.strictObject({ box: z.string() }).optional(),
        dryRun,
      }),
      output: z.strictObject({ entry: z.string() }),
      roles: { '/text': 'content', '/where/box': 'control', '/dryRun': 'control' },
      undo: { action: 'drop', args: { entry: { $idem: true } } },
    },
    drop: {
      ...plainAction,
      effect: 'write',
      input: z.strictObject({ entry: z.string(), dryRun }),
      output: z.strictObject({ gone: z.boolean() }),
      roles: { '/entry': 'opaque', '/dryRun': 'control' },
    },
    fetch: {
      ...plainAction,
      effect: 'read',
      input: z.strictObject({}),
      output: z.strictObject({ text: z.string() }),
      roles: {},
    },
  },
})

/** A screen in the hall: what it is asked stands there for everybody who comes in. */
export const board = defineManifest({
  ...plainAgent,
  name: 'board',
  actions: {
    glance: {
      ...plainAction,
      effect: 'read',
      audience: 'PUBLIC',
      input: z.strictObject({ about: z.string() }),
      output: z.strictObject({ title: z.string() }),
      labels: { '': { readers: 'PUBLIC' } },
      roles: { '/about': 'content' },
    },
  },
})

export const attackedHouse: Catalogue = createCatalogue([...house.values(), mail, shelf, board])
