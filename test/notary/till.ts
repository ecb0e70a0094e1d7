// An agent that takes amounts: of money in a currency, and of times; what gives something back, and what
// says whether it was done.

import { z } from 'zod'
import { createCatalogue, defineManifest } from '../../plan/manifest.ts'
import { probeOutput } from '../../plan/probe.ts'
import { plainAction, plainAgent } from '../support/manifest-defaults.ts'

const dryRun = z.boolean()
const takesBack = {
  ...plainAction,
  effect: 'write',
  input: z.strictObject({ entry: z.string(), dryRun }),
  output: z.strictObject({ gone: z.boolean() }),
  roles: { '/entry': 'opaque', '/dryRun': 'control' },
} as const
const undo = { action: 'refund', args: { entry: { $idem: true }, dryRun: false } } as const
const till = defineManifest({
  ...plainAgent,
  name: 'till',
  actions: {
    pay: {
      ...plainAction,
      effect: 'write',
      input: z.strictObject({ amount: z.int(), currency: z.string(), dryRun }),
      output: z.strictObject({ paid: z.boolean() }),
      roles: { '/amount': 'amount', '/currency': 'control', '/dryRun': 'control' },
      currencies: { '/amount': '/currency' },
      undo,
      probe: { action: 'paid', args: { entry: { $idem: true } } },
    },
    stamp: {
      ...plainAction,
      effect: 'write',
      input: z.strictObject({ times: z.int(), dryRun }),
      output: z.strictObject({ paid: z.boolean() }),
      roles: { '/times': 'amount', '/dryRun': 'control' },
      undo,
    },
    paid: {
      ...plainAction,
      effect: 'read',
      input: z.strictObject({ entry: z.string() }),
      output: probeOutput,
      roles: { '/entry': 'opaque' },
    },
    refund: takesBack,
  },
})
export const catalogue = createCatalogue([till])
