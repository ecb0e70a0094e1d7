// What the kernel's own files say of a sandbox's bounds, in both versions of control groups.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  locateControlGroup,
  parseResourceLimits,
  readBounds,
  readGroupBounds,
} from '../../supervisor/sandbox/bounds.ts'

const limits = `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max file size             67108864             67108864             bytes
Max data size             1073741824           1073741824           bytes
Max core file size        0                    0                    bytes
Max processes             64                   64                   processes
Max open files            256                  512                  files
Max locked memory         0                    unlimited            bytes
`

describe('resource limits', () => {
  it('are the hard ones, and none is null', () => {
    expect(parseResourceLimits(limits)).toEqual({
      openFiles: 512,
      fileBytes: 67_108_864,
      dataBytes: 1_073_741_824,
      coreBytes: 0,
      lockedBytes: null,
      processes: 64,
    })
  })

  it('are not invented where the kernel says nothing', () => {
    expect(() => parseResourceLimits(limits.replace('Max processes', 'Max whatever'))).toThrow(
      'Max processes',
    )
  })

  it.skipIf(process.platform !== 'linux')('are read of a real process', () => {
    const soft = /^Max open files\s+\S+\s+(\S+)/m
    const own = soft.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    expect(String(readBounds(process.pid).openFiles ?? 'unlimited')).toBe(own)
  })
})

describe('control groups', () => {
  const one = {
    cgroup:
      '9:name=systemd:/\n8:pids:/bulkhead/a\n4:memory:/bulkhead/a\n1:cpu,cpuacct:/bulkhead/a\n0::/\n',
    mountinfo: [
      '32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct',
      '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
      '39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids',
      '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
    ].join('\n'),
    files: {
      '/sys/fs/cgroup/memory/bulkhead/a/memory.limit_in_bytes': '268435456',
      '/sys/fs/cgroup/memory/bulkhead/a/memory.memsw.limit_in_bytes': '268435456',
      '/sys/fs/cgroup/pids/bulkhead/a/pids.max': '64',
      '/sys/fs/cgroup/cpu/bulkhead/a/cpu.cfs_quota_us': '100000',
      '/sys/fs/cgroup/cpu/bulkhead/a/cpu.cfs_period_us': '100000',
    },
  }
  const two = {
    cgroup: '0::/bulkhead/a\n',
    mountinfo: '30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate',
    files: {
      '/sys/fs/cgroup/bulkhead/a/memory.max': '268435456',
      '/sys/fs/cgroup/bulkhead/a/memory.swap.max': '0',
      '/sys/fs/cgroup/bulkhead/a/pids.max': '64',
      '/sys/fs/cgroup/bulkhead/a/cpu.max': '100000 100000',
    },
  }
  const boundsOf = (system: typeof one | typeof two, change: Record<string, string> = {}) => {
    const files = new Map(Object.entries({ ...system.files, ...change }))
    const folders = locateControlGroup(system.cgroup, system.mountinfo)
    return readGroupBounds(folders, (file) => files.get(file))
  }
  const bounds = { memoryBytes: 268_435_456, swapBytes: 0, pids: 64, cpuMillis: 1_000 }

  it.each([
    ['1', one],
    ['2', two],
  ])('of version %s are found where the kernel mounts them', (_version, system) => {
    expect(boundsOf(system)).toEqual(bounds)
  })

  it('that bound nothing say so', () => {
    const none = { memoryBytes: null, swapBytes: null, pids: null, cpuMillis: null }
    const unbounded = {
      '/sys/fs/cgroup/memory/bulkhead/a/memory.limit_in_bytes': '9223372036854771712',
      '/sys/fs/cgroup/pids/bulkhead/a/pids.max': 'max',
      '/sys/fs/cgroup/cpu/bulkhead/a/cpu.cfs_quota_us': '-1',
    }
    expect(boundsOf(one, unbounded)).toEqual(none)
    const folder = '/sys/fs/cgroup/bulkhead/a'
    const files = {
      'memory.max': 'max',
      'memory.swap.max': 'max',
      'pids.max': 'max',
      'cpu.max': 'max 100000',
    }
    expect(
      boundsOf(
        two,
        Object.fromEntries(
          Object.entries(files).map(([name, value]) => [`${folder}/${name}`, value]),
        ),
      ),
    ).toEqual(none)
    expect(readGroupBounds(locateControlGroup('', ''), () => undefined)).toEqual(none)
  })
})
