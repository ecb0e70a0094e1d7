// What an agent accepts as confinement, field by field, from the words of proc_pid_status(5).

import { describe, expect, it } from 'vitest'
import {
  assertSandbox,
  findWeaknesses,
  parseInterfaces,
  parseProcessStatus,
  type SandboxFacts,
  SelfAssertionError,
} from '../../agents/self-assertion.ts'

const none = '0000000000000000'
const status = (change: Readonly<Record<string, string>> = {}): string =>
  Object.entries({
    Name: 'node',
    CapInh: none,
    CapPrm: none,
    CapEff: none,
    CapBnd: none,
    CapAmb: none,
    NoNewPrivs: '1',
    Seccomp: '2',
    Seccomp_filters: '1',
    ...change,
  })
    .map(([name, value]) => `${name}:\t${value}\n`)
    .join('')
const confined: SandboxFacts = {
  seccomp: 2,
  noNewPrivs: true,
  capabilities: '0',
  rootReadOnly: true,
  interfaces: ['lo'],
  foreignWritable: [],
  foreignExecutable: [],
  mappedIds: 1,
  isFirstProcess: true,
  foreignVariables: [],
  openSecrets: [],
  unbounded: [],
}

describe('the status of a confined process', () => {
  it('reads as confined', () => {
    const facts = parseProcessStatus(status())
    expect(facts).toEqual({ seccomp: 2, noNewPrivs: true, capabilities: '0' })
    expect(() => assertSandbox({ ...confined, ...facts })).not.toThrow()
  })

  it.each([
    { Seccomp: '0' },
    { Seccomp: '1' },
    { NoNewPrivs: '0' },
    { CapInh: '0000000000000400' },
    { CapPrm: '0000000000000400' },
    { CapEff: '0000000000000400' },
    { CapBnd: '000001ffffffffff' },
    { CapAmb: '0000000000000400' },
  ])('reads as weak with %j', (change) => {
    const facts = parseProcessStatus(status(change))
    expect(() => assertSandbox({ ...confined, ...facts })).toThrow(SelfAssertionError)
  })

  it.each(['Seccomp', 'NoNewPrivs', 'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])(
    'is not believed without %s, or with nonsense in it',
    (name) => {
      expect(() => parseProcessStatus(status({ [name]: 'x' }))).toThrow(name)
      expect(() => parseProcessStatus(status().replace(`${name}:`, 'Other:'))).toThrow(name)
    },
  )
})

describe('a sandbox', () => {
  it('is as it should be with loopback alone and a root that cannot be written', () => {
    expect(findWeaknesses(confined)).toEqual([])
  })

  it.each([
    [{ rootReadOnly: false }, 'the root file system can be written'],
    [{ interfaces: ['lo', 'eth0'] }, 'network interfaces beyond loopback: eth0'],
    [{ foreignWritable: ['/usr'] }, 'places that can be written: /usr'],
    [{ foreignExecutable: ['/ledger'] }, 'places that can be executed from: /ledger'],
    [{ mappedIds: 65_536 }, 'there are other users to become'],
    [{ isFirstProcess: false }, 'the process is not alone'],
    [{ foreignVariables: ['SECRET'] }, 'variables in the environment: SECRET'],
    [{ openSecrets: ['/secrets/a'] }, 'secrets that others may read: /secrets/a'],
    [{ unbounded: ['Max data size'] }, 'limits that are not set: Max data size'],
  ])('is weak with %j', (change, weakness) => {
    expect(findWeaknesses({ ...confined, ...change })).toEqual([weakness])
  })

  it('names its interfaces as /proc/net/dev does', () => {
    const table = [
      'Inter-|   Receive                                                |  Transmit',
      ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets',
      '    lo: 1408      16    0    0    0     0          0         0     1408      16',
      '  eth0:12345      90    0    0    0     0          0         0     1408      16',
      '',
    ]
    expect(parseInterfaces(table.join('\n'))).toEqual(['lo', 'eth0'])
  })
})
