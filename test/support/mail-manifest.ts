// An agent shaped like one for mail, until there is one: it reads what anybody sent, and sends to whom its
// `to` says. For the tests of flow rules; its manifest is all that they need.

import { z } from 'zod'
import { defineManifest } from '../../plan/manifest.ts'
import { plainAction, plainAgent } from './manifest-defaults.ts'

const message = z.strictObject({
  id: z.string(),
  from: z.string(),
  subject: z.string(),
  text: z.string(),
})

export const mail = defineManifest({
  ...plainAgent,
  name: 'mail',
  actions: {
    list: {
      ...plainAction,
      effect: 'read',
      input: z.strictObject({ folder: z.string() }),
      output: z.strictObject({ first: message, messages: z.array(message), count: z.number() }),
      roles: { '/folder': 'control' },
      // Drawn by whoever sent it, who sees it again in an answer: it tells nobody anything.
      labels: { '/first/id': { readers: 'PUBLIC' }, '/messages/*/id': { readers: 'PUBLIC' } },
    },
    send: {
      ...plainAction,
      effect: 'egress',
      // The servers on the way carry it and are no audience.
      audience: { arg: '/to/*' },
      input: z.strictObject({
        to: z.array(z.string()).min(1),
        subject: z.string(),
        body: z.string(),
      }),
      output: z.strictObject({ id: z.string() }),
      roles: { '/to/*': 'control', '/subject': 'content', '/body': 'content' },
    },
    reply: {
      ...plainAction,
      effect: 'egress',
      audience: 'PUBLIC',
      input: z.strictObject({ message: z.string(), body: z.string() }),
      output: z.strictObject({ id: z.string() }),
      roles: { '/message': 'opaque', '/body': 'content' },
    },
  },
})
