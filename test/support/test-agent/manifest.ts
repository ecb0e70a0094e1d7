// A small agent with every behaviour that the runtime must cope with, good and bad. What it did is
// read from the lines of a file in its mount, so that a test counts effects and not replies.

import { z } from 'zod'
import { failureCodes, retrySchema } from '../../../agents/protocol.ts'
import type { AgentManifest, EgressDeclaration } from '../../../plan/manifest.ts'
import { probeOutput } from '../../../plan/probe.ts'
import type { SecretDeclaration } from '../../../plan/sandbox-declaration.ts'

export const countsAt = '/data/counts'
export const countsFile = 'effects.txt'

/** For deployments that have a server to ask: the manifest itself declares none. */
export const testEgress: readonly EgressDeclaration[] = [
  {
    id: 'server',
    host: { config: 'test.server' },
    port: 443,
    protocol: 'https',
    allow: [
      { methods: ['GET'], path: '/bound', bind: { key: '/bound' } },
      { methods: ['GET', 'POST'], path: '/open/*' },
    ],
    credential: { secret: { config: 'test.secret' }, as: 'bearer' },
  },
  { id: 'mail', host: { config: 'test.mail' }, port: 993, protocol: 'tls', allow: [] },
]

/** What the agent itself declares; a deployment grants it where its own manifest says so too. */
export const testSecrets: readonly SecretDeclaration[] = [
  { name: 'password', from: { config: 'test.password' } },
]

const text = z.string().max(60_000)
const count = z.strictObject({ count: z.number().int() })
const common = {
  audience: 'owner',
  undo: 'none',
  idempotent: false,
  timeoutMs: 500,
  maxResultBytes: 64 * 1024,
} as const

export const manifest = {
  name: 'test',
  summary: 'does what a test asks',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'ledger',
  perUser: false,
  mounts: [{ from: { config: 'test.folder' }, at: countsAt, mode: 'rw' }],
  actions: {
    echo: {
      ...common,
      effect: 'read',
      input: z.strictObject({ text, times: z.number().int().default(1) }),
      output: z.strictObject({ text: z.string() }),
      roles: { '/text': 'content', '/times': 'control' },
      summary: 'gives the text back',
    },
    split: {
      ...common,
      effect: 'read',
      input: z.strictObject({ text }),
      output: z.strictObject({ words: z.array(z.string()) }),
      roles: { '/text': 'content' },
      summary: 'gives the words of the text as a list',
    },
    count: {
      ...common,
      effect: 'write',
      input: z.strictObject({ text }),
      output: count,
      roles: { '/text': 'content' },
      undo: { action: 'uncount', args: { entry: { $idem: true } } },
      summary: 'appends its effect id to a file, each time that it runs',
    },
    uncount: {
      ...common,
      effect: 'write',
      idempotent: true,
      input: z.strictObject({ entry: z.string() }),
      output: count,
      roles: { '/entry': 'opaque' },
      summary: 'removes the line of an effect',
    },
    put: {
      ...common,
      effect: 'write',
      idempotent: true,
      input: z.strictObject({ text }),
      output: count,
      roles: { '/text': 'content' },
      summary: 'appends its effect id unless it is there already',
    },
    fail: {
      ...common,
      effect: 'write',
      input: z.strictObject({ code: z.enum(failureCodes), retry: retrySchema }),
      output: count,
      roles: { '/code': 'control', '/retry': 'control' },
      summary: 'fails as it is told',
    },
    breakRead: {
      ...common,
      effect: 'read',
      input: z.strictObject({}),
      output: count,
      roles: {},
      summary: 'throws what nobody expects, without having acted',
    },
    breakWrite: {
      ...common,
      effect: 'write',
      input: z.strictObject({}),
      output: count,
      roles: {},
      summary: 'acts, then throws what nobody expects',
    },
    slow: {
      ...common,
      effect: 'write',
      timeoutMs: 1_000,
      input: z.strictObject({ ms: z.number().int(), heedsAbort: z.boolean() }),
      output: count,
      roles: { '/ms': 'control', '/heedsAbort': 'control' },
      summary: 'acts after a while',
    },
    ring: {
      ...common,
      effect: 'write',
      timeoutMs: 60_000,
      input: z.strictObject({
        ms: z.number().int(),
        /** `linger`: acts first, and takes as long again to say so. */
        ends: z.enum(['done', 'throw', 'throw-before', 'linger']),
        dryRun: z.boolean().default(false),
      }),
      output: count,
      roles: { '/ms': 'control', '/ends': 'control', '/dryRun': 'control' },
      undo: { action: 'uncount', args: { entry: { $idem: true } } },
      probe: { action: 'rung', args: { entry: { $idem: true } } },
      summary: 'acts after a while, perhaps without saying so, and can be asked about',
    },
    toll: {
      ...common,
      effect: 'write',
      timeoutMs: 60_000,
      input: z.strictObject({ ms: z.number().int() }),
      output: count,
      roles: { '/ms': 'control' },
      undo: { action: 'uncount', args: { entry: { $idem: true } } },
      summary: 'acts after a while, and nobody can ask whether it did',
    },
    rung: {
      ...common,
      effect: 'read',
      input: z.strictObject({ entry: z.string() }),
      output: probeOutput,
      roles: { '/entry': 'opaque' },
      summary: 'whether an effect has left its line',
    },
    slowRead: {
      ...common,
      effect: 'read',
      input: z.strictObject({ ms: z.number().int() }),
      output: count,
      roles: { '/ms': 'control' },
      summary: 'answers after a while, and heeds nothing',
    },
    huge: {
      ...common,
      effect: 'read',
      maxResultBytes: 1_000,
      input: z.strictObject({ bytes: z.number().int() }),
      output: z.strictObject({ text: z.string() }),
      roles: { '/bytes': 'control' },
      summary: 'answers with as many bytes',
    },
    misfit: {
      ...common,
      effect: 'write',
      input: z.strictObject({ how: z.enum(['schema', 'json']) }),
      output: z.strictObject({ text: z.string() }),
      roles: { '/how': 'control' },
      summary: 'acts, and answers what does not fit its schema or JSON',
    },
    fetch: {
      ...common,
      effect: 'egress',
      audience: { host: 'server' },
      egress: ['server'],
      timeoutMs: 5_000,
      input: z.strictObject({
        egress: z.string().default('server'),
        origin: z.string().optional(),
        method: z.enum(['GET', 'POST']).default('GET'),
        path: z.string(),
        bound: z.string().optional(),
        /** Sent in place of the bound argument. */
        key: z.string().optional(),
        maxBytes: z.number().int().default(10_000),
      }),
      output: z.strictObject({ status: z.number().int(), body: z.string() }),
      roles: {
        ...{ '/egress': 'control', '/origin': 'control', '/method': 'control', '/path': 'control' },
        ...{ '/bound': 'control', '/key': 'control', '/maxBytes': 'amount' },
      },
      summary: 'asks a server through the gateway',
    },
    proveSecret: {
      ...common,
      effect: 'read',
      input: z.strictObject({ name: z.string() }),
      output: z.strictObject({ sha256: z.string() }),
      roles: { '/name': 'control' },
      summary: 'shows that it knows a secret, without telling it',
    },
    tunnel: {
      ...common,
      effect: 'egress',
      audience: { host: 'mail' },
      egress: ['mail'],
      timeoutMs: 5_000,
      input: z.strictObject({
        egress: z.string().default('mail'),
        host: z.string(),
        port: z.number().int(),
        /** Certificate of the authority to trust. */
        ca: z.string(),
        say: z.string(),
      }),
      output: z.strictObject({ heard: z.string() }),
      roles: {
        ...{ '/egress': 'control', '/host': 'control', '/port': 'control' },
        ...{ '/ca': 'control', '/say': 'content' },
      },
      summary: 'says something to a server under TLS of its own, and hears what comes back',
    },
    erase: {
      ...common,
      effect: 'irreversible',
      input: z.strictObject({}),
      output: count,
      roles: {},
      summary: 'cannot be undone',
    },
    post: {
      ...common,
      effect: 'irreversible',
      input: z.strictObject({ text }),
      output: count,
      roles: { '/text': 'content' },
      summary: 'cannot be undone either, and says something',
    },
  },
} as const satisfies AgentManifest
