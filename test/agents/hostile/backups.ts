// Backup programs that lie, and repositories that are none.

import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { agent } from '../../../agents/backup/agent.ts'
import { passwordsSecret, repositoriesAt, scratchAt } from '../../../agents/backup/manifest.ts'
import { maxListBytes } from '../../../agents/backup/tool.ts'
import { ActionFailure } from '../../../agents/define-agent.ts'
import {
  type Ends,
  formula,
  type HostileParser,
  megabytes,
  not,
  type Trial,
  trial,
} from './trial.ts'

interface Tool {
  readonly program: 'restic' | 'borg'
  readonly files: Readonly<Record<string, string>>
  /** One snapshot, as its list says it. */
  list(change?: { readonly time?: string; readonly host?: string; readonly id?: string }): unknown
  /** One file of a snapshot. */
  file(path: string): unknown
  /** Whether a call asks for the list of snapshots, or of files. */
  asks(args: readonly string[]): 'snapshots' | 'files' | 'other'
}

const time = '2026-11-21T02:00:00'
const restic: Tool = {
  program: 'restic',
  files: Object.fromEntries(
    ['config', 'keys/1', 'snapshots/1', 'index/1', 'data/1'].map((part) => [`home/${part}`, '']),
  ),
  list: ({ time: at = time, host = 'desk', id = 'a'.repeat(64) } = {}) => ({
    ...{ id, time: `${at}Z`, hostname: host, paths: ['/home'] },
  }),
  file: (path) => ({ struct_type: 'node', type: 'file', path, size: 6 }),
  asks: (args) =>
    args.includes('snapshots') ? 'snapshots' : args.includes('ls') ? 'files' : 'other',
}
const borg: Tool = {
  program: 'borg',
  files: { 'home/config': '[repository]\nversion = 1\n' },
  list: ({ time: at = time, host = 'desk', id = 'monday' } = {}) => ({
    ...{ name: id, start: at, hostname: host },
  }),
  file: (path) => ({ type: '-', path, size: 6 }),
  asks: (args) => {
    if (!args.includes('list')) return 'other'
    return args.includes('--json') ? 'snapshots' : 'files'
  },
}

function cellsOf(tool: Tool): HostileParser['cells'] {
  const wrapped = (list: readonly unknown[]) =>
    JSON.stringify(tool.program === 'restic' ? list : { archives: list })
  interface Said {
    readonly snapshots?: string
    readonly files?: string
    readonly action?: string
    readonly args?: object
    prepare?(folder: string): void
  }
  const said = (what: string, ends: Ends, make: () => Said): Trial =>
    trial(agent, what, ends, () => {
      const { snapshots = wrapped([tool.list()]), files = '', action = 'status', ...more } = make()
      const { args = action === 'status' ? {} : { repository: 'home' }, prepare } = more
      return {
        ...{ action, args },
        world: {
          folders: { [repositoriesAt]: tool.files, [scratchAt]: {} },
          secrets: { [passwordsSecret]: 'home: x\n' },
          programs: async (call) => {
            const asked = tool.asks(call.args)
            const stdout = asked === 'snapshots' ? snapshots : asked === 'files' ? files : ''
            // As the runner ends a program that says more.
            if (Buffer.byteLength(stdout) > call.maxBytes) {
              throw new ActionFailure('LIMIT_EXCEEDED', 'final', 'it said too much')
            }
            return { code: 0, stdout: Buffer.from(stdout), stderr: '' }
          },
        },
        ...(prepare === undefined ? {} : { prepare }),
      }
    })
  const row = (fields: object) => ({ says: { repositories: [fields] } })
  const unreadable = { says: { ok: false, repositories: [{ reason: 'UNREADABLE' }] } }
  return {
    entities: not('JSON has none'),
    gigantic: [
      said('a list without an end', unreadable, () => ({
        snapshots: `${' '.repeat(maxListBytes)}[]`,
      })),
      said('the name of a host', row({ snapshots: 1 }), () => ({
        snapshots: wrapped([tool.list({ host: megabytes(1) })]),
      })),
      said('the path of a file, which is none', { says: { ok: false, candidates: 0 } }, () => ({
        ...{ action: 'restore_test', files: JSON.stringify(tool.file(`/${megabytes(1)}`)) },
      })),
    ],
    encoding: [
      said('UTF-16', unreadable, () => ({
        snapshots: Buffer.from(wrapped([]), 'utf16le').toString('latin1'),
      })),
      said('control characters', row({ host: '[2Jdesk' }), () => ({
        snapshots: wrapped([tool.list({ host: '\u001b[2Jdesk\u202e' })]),
      })),
    ],
    dates: [
      said('a negative year', row({ ok: false, reason: 'EMPTY' }), () => ({
        snapshots: wrapped([tool.list({ time: '-0001-11-21T02:00:00' })]),
      })),
      said('month 13', row({ ok: false, reason: 'EMPTY' }), () => ({
        snapshots: wrapped([tool.list({ time: '2026-13-21T02:00:00' })]),
      })),
      said('to come', row({ ok: false, reason: 'IN_THE_FUTURE' }), () => ({
        snapshots: wrapped([tool.list({ time: '9999-11-21T02:00:00' })]),
      })),
    ],
    formula: [
      said('a host', row({ host: formula }), () => ({
        snapshots: wrapped([tool.list({ host: formula })]),
      })),
    ],
    paths: [
      said(
        'a file of a snapshot that leads out of the scratch folder',
        { says: { ok: false, failures: [{ path: '/../../outside', reason: 'NOT_RESTORED' }] } },
        () => ({ action: 'restore_test', files: JSON.stringify(tool.file('/../../outside')) }),
      ),
      ...['../home', '-r', '.hidden', 'a/b'].map((repository) =>
        said(`the name ${repository}`, 'INVALID_INPUT', () => ({
          action: 'verify',
          args: { repository },
        })),
      ),
      said('a link to a repository', 'NOT_FOUND', () => ({
        action: 'verify',
        args: { repository: 'link' },
        prepare: (folder) => symlinkSync('home', join(folder, repositoriesAt, 'link')),
      })),
    ],
    crowd: [
      said('snapshots', row({ snapshots: 10_000 }), () => ({
        snapshots: wrapped(Array.from({ length: 10_000 }, () => tool.list())),
      })),
      said('files of a snapshot', { says: { ok: false } }, () => ({
        action: 'restore_test',
        files: Array.from({ length: 10_000 }, (_, at) => JSON.stringify(tool.file(`/f${at}`))).join(
          '\n',
        ),
      })),
    ],
    depth: [said('lists', unreadable, () => ({ snapshots: '['.repeat(1_000_000) }))],
  }
}

export const resticOutput: HostileParser = { reads: 'what restic prints', cells: cellsOf(restic) }
export const borgOutput: HostileParser = { reads: 'what borg prints', cells: cellsOf(borg) }
