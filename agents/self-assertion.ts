// The agent's own look at its confinement before it serves: seccomp, no new privileges, no
// capabilities, a root that cannot be written, no network but loopback. A sandbox that was set up
// wrongly then breaks start-up instead of weakening the claim. It proves nothing against a kernel or
// a supervisor that lies, and it is no substitute for the profile's own tests.

import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  countMappedIds,
  findOpenings,
  findUnbounded,
  foreignVariables,
  parseMounts,
  type Surroundings,
} from './surroundings.ts'

export interface SandboxFacts extends Surroundings {
  /** 0 none, 1 strict, 2 filter. */
  readonly seccomp: number
  readonly noNewPrivs: boolean
  /** The union of all five capability sets, hexadecimal. */
  readonly capabilities: string
  readonly rootReadOnly: boolean
  readonly interfaces: readonly string[]
}

export class SelfAssertionError extends Error {
  override readonly name = 'SelfAssertionError'
  readonly code = 'SANDBOX_WEAK'
}

const capabilitySets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']

/**
 * The fields of `/proc/<pid>/status` (proc_pid_status(5)) that say how a process is confined.
 * @throws SelfAssertionError when one is absent: not said means not confined
 */
export function parseProcessStatus(
  text: string,
): Pick<SandboxFacts, 'seccomp' | 'noNewPrivs' | 'capabilities'> {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim())
  }
  const field = (name: string, shape: RegExp): string => {
    const value = fields.get(name)
    if (value === undefined || !shape.test(value)) {
      throw new SelfAssertionError(`process status says nothing readable of ${name}`)
    }
    return value
  }
  const capabilities = capabilitySets
    .map((name) => BigInt(`0x${field(name, /^[0-9a-f]{1,32}$/)}`))
    .reduce((union, set) => union | set, 0n)
  return {
    seccomp: Number(field('Seccomp', /^[0-9]$/)),
    noNewPrivs: field('NoNewPrivs', /^[01]$/) === '1',
    capabilities: capabilities.toString(16),
  }
}

/** Names of the interfaces in `/proc/<pid>/net/dev` (two header lines, then one a line). */
export function parseInterfaces(text: string): readonly string[] {
  return text
    .split('\n')
    .slice(2)
    .map((line) => line.split(':')[0]?.trim() ?? '')
    .filter((name) => name !== '')
}

/** What is wrong, in words; empty when the process is confined as the design says. */
export function findWeaknesses(facts: SandboxFacts): readonly string[] {
  const foreign = facts.interfaces.filter((name) => name !== 'lo')
  return [
    ...(facts.seccomp === 2 ? [] : ['no seccomp filter']),
    ...(facts.noNewPrivs ? [] : ['new privileges are possible']),
    ...(facts.capabilities === '0' ? [] : [`capabilities are left: ${facts.capabilities}`]),
    ...(facts.rootReadOnly ? [] : ['the root file system can be written']),
    ...(foreign.length === 0 ? [] : [`network interfaces beyond loopback: ${foreign.join(', ')}`]),
    ...findOpenings(facts),
  ]
}

/**
 * Looks. Linux only: elsewhere there is no sandbox of this kind to look at.
 * @param programs names of the manifest's programs
 */
export function observeSandbox(secrets: string, programs: readonly string[]): SandboxFacts {
  const own = (name: string) => readFileSync(`/proc/self/${name}`, 'utf8')
  return {
    ...parseProcessStatus(own('status')),
    rootReadOnly: isRootReadOnly(),
    interfaces: parseInterfaces(own('net/dev')),
    ...parseMounts(own('mountinfo'), programs),
    mappedIds: countMappedIds(own('uid_map')),
    isFirstProcess: process.pid === 1,
    foreignVariables: foreignVariables(own('environ')),
    openSecrets: findOpenSecrets(secrets),
    unbounded: findUnbounded(own('limits')),
  }
}

function findOpenSecrets(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => (statSync(file).mode & 0o377) !== 0)
}

/** @throws SelfAssertionError naming every weakness */
export function assertSandbox(facts: SandboxFacts): void {
  const weaknesses = findWeaknesses(facts)
  if (weaknesses.length > 0) throw new SelfAssertionError(weaknesses.join('; '))
}

/** By trying: mkdir(2) reports EROFS before it asks for permissions, and nothing else is proof. */
function isRootReadOnly(): boolean {
  const probe = '/.bulkhead-probe'
  try {
    mkdirSync(probe)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EROFS'
  }
  rmdirSync(probe)
  return false
}
