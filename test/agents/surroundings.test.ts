// What an agent takes for its own surroundings, from the kernel's own words.

import { describe, expect, it } from 'vitest'
import {
  countMappedIds,
  findUnbounded,
  foreignVariables,
  parseMounts,
} from '../../agents/surroundings.ts'

const mounts: Readonly<Record<string, string>> = {
  '/': 'ro,relatime',
  '/proc': 'rw,nosuid,nodev,noexec,relatime',
  '/tmp': 'rw,nosuid,nodev,noexec,relatime',
  '/agent/node': 'ro,nosuid,nodev,relatime',
  '/agent/better_sqlite3.node': 'ro,nosuid,nodev,relatime',
  '/agent/agent.mjs': 'ro,nosuid,nodev,noexec,relatime',
  '/lib/x86_64-linux-gnu/libstdc++.so.6': 'ro,nosuid,nodev,relatime',
  '/lib64/ld-linux-x86-64.so.2': 'ro,nosuid,nodev,relatime',
  '/secrets': 'ro,nosuid,nodev,noexec,relatime',
  '/ledger': 'rw,nosuid,nodev,noexec,noatime',
  '/run/bus.sock': 'rw,nosuid,nodev,noexec,relatime',
  '/data/notes': 'rw,nosuid,nodev,noexec,relatime',
  '/dev/null': 'rw,relatime',
  '/proc/keys': 'rw,relatime',
}
const table = (change: Readonly<Record<string, string>> = {}): string =>
  Object.entries({ ...mounts, ...change })
    .map(([at, options], index) => `${index} 1 0:1 / ${at} ${options} - ext4 /dev/x rw`)
    .join('\n')

describe('the mounts of a sandbox', () => {
  it('are its own as the supervisor makes them', () => {
    expect(parseMounts(table())).toEqual({ foreignWritable: [], foreignExecutable: [] })
  })

  it.each(['/', '/agent/agent.mjs', '/secrets', '/lib64/ld-linux-x86-64.so.2', '/etc', '/data'])(
    'are too many when %s can be written',
    (at) => {
      const { foreignWritable } = parseMounts(table({ [at]: 'rw,nosuid,nodev,noexec' }))
      expect(foreignWritable).toEqual([at])
    },
  )

  it.each(['/tmp', '/ledger', '/data/notes', '/secrets', '/agent/agent.mjs', '/bin', '/agent/sh'])(
    'are too many when %s can be executed from',
    (at) => {
      const { foreignExecutable } = parseMounts(table({ [at]: 'ro,nosuid,nodev' }))
      expect(foreignExecutable).toEqual([at])
    },
  )

  it.each([
    ['/programs/tool/run', []],
    ['/programs/tool/site/0', []],
    ['/programs/tool', ['/programs/tool']],
    ['/programs/toolbox/run', ['/programs/toolbox/run']],
    ['/data/programs/tool/run', ['/data/programs/tool/run']],
  ])('may be executed from for a declared program: %s', (at, foreign) => {
    const mounts = table({ [at]: 'ro,nosuid,nodev' })
    expect(parseMounts(mounts, ['tool']).foreignExecutable).toEqual(foreign)
    expect(parseMounts(mounts).foreignExecutable).toEqual([at])
  })
})

describe('the other surroundings', () => {
  it('have one user, or more', () => {
    expect(countMappedIds('         0       1000          1\n')).toBe(1)
    expect(countMappedIds('0 0 1\n1 100000 65536\n')).toBe(65_537)
    expect(countMappedIds('')).toBe(0)
  })

  it('have no variables but two', () => {
    expect(foreignVariables('TZ=UTC\0HOME=/\0')).toEqual([])
    expect(foreignVariables('TZ=UTC\0HOME=/\0PATH=a=b\0')).toEqual(['PATH'])
  })

  it('have limits that are numbers', () => {
    const rows = ['Max file size', 'Max data size', 'Max core file size', 'Max open files']
    const limits = rows.map(
      (row) => `${row.padEnd(26)}1024                 1024                 bytes`,
    )
    expect(findUnbounded(limits.join('\n'))).toEqual([])
    for (const [index, row] of rows.entries()) {
      const without = limits.with(
        index,
        `${row.padEnd(26)}1024                 unlimited            bytes`,
      )
      expect(findUnbounded(without.join('\n'))).toEqual([row])
    }
    expect(findUnbounded('')).toEqual(rows)
  })
})
