// Calls of every action of the backups, for `bulkhead agent check`: answered in place of restic as restic
// answers. The real programs are for test/integration/backup-programs.test.ts.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type {
  AgentExamples,
  ExampleProgramCall,
  ExampleProgramResult,
} from '../check/examples-contract.ts'
import { passwordsSecret, repositoriesAt, scratchAt } from './manifest.ts'

const now = '2026-11-21T08:00:00Z'
const files: Readonly<Record<string, string>> = { '/home/a.txt': 'one', '/home/b.txt': 'two' }
const snapshots = ['2026-11-20T02:00:00Z', '2026-11-21T02:00:00Z'].map((time, index) => ({
  ...{ id: `${index + 1}`.repeat(64), time, hostname: 'desk', paths: ['/home'] },
  summary: { total_bytes_processed: 6 - 3 * (1 - index) },
}))

const words = (stdout: unknown): ExampleProgramResult => ({
  code: 0,
  stdout: Buffer.from(typeof stdout === 'string' ? stdout : JSON.stringify(stdout)),
  stderr: '',
})
const lines = (...values: readonly unknown[]) =>
  words(values.map((one) => JSON.stringify(one)).join('\n'))
const nodes = Object.entries(files).map(([path, content]) => ({
  ...{ struct_type: 'node', type: 'file', path, size: content.length },
}))

/** What follows the options that every call has. */
async function restic({ program, args }: ExampleProgramCall): Promise<ExampleProgramResult> {
  if (program !== 'restic') throw new Error('only restic is set up here')
  const [command, ...more] = args.slice(args.indexOf('--no-lock') + 1)
  switch (command) {
    case 'version':
      return words('restic 0.18.1 compiled with go1.26 on linux/amd64')
    case 'snapshots':
      return words(snapshots)
    case 'check':
      return words({ message_type: 'summary', num_errors: 0, broken_packs: null })
    case 'ls':
      return lines(...nodes)
    case 'dump':
      return words(files[more.at(-1) ?? ''] ?? '')
    case 'diff':
      return lines({ message_type: 'change', path: '/home/b.txt', modifier: '+' })
    case 'restore':
      return restore(more)
    default:
      return { code: 1, stdout: Buffer.of(), stderr: `unknown command ${command}` }
  }
}

function restore(args: readonly string[]): ExampleProgramResult {
  const target = args[args.indexOf('--target') + 1] ?? ''
  for (const [path, content] of Object.entries(files)) {
    if (!args.includes(path)) continue
    mkdirSync(dirname(join(target, path)), { recursive: true })
    writeFileSync(join(target, path), content)
  }
  return words('')
}

const parts = ['config', 'keys/1', 'snapshots/1', 'index/1', 'data/11/1']
const repositories = Object.fromEntries(
  ['home', 'without-a-password'].flatMap((name) => parts.map((part) => [`${name}/${part}`, ''])),
)

export const examples: AgentExamples = {
  worlds: [
    {
      name: 'restic',
      now,
      folders: { [repositoriesAt]: repositories, [scratchAt]: {} },
      secrets: { [passwordsSecret]: 'home: a long password\n' },
      programs: restic,
      calls: {
        status: [{ args: {} }, { args: { repositories: ['none'] }, fails: 'NOT_FOUND' }],
        verify: [
          { args: { repository: 'home' } },
          { args: { repository: 'home', mode: 'metadata' } },
          { args: { repository: 'without-a-password' }, fails: 'INVALID_INPUT' },
        ],
        restore_test: [
          { args: { repository: 'home' } },
          { args: { repository: 'home', snapshot: '3'.repeat(8) }, fails: 'NOT_FOUND' },
        ],
        diff: [{ args: { repository: 'home' } }],
        trend: [{ args: { repository: 'home' } }],
      },
    },
  ],
}
