// What a sandbox driver owes the supervisor. One implementation today (runc.ts); Docker comes later
// behind the same port. A driver that cannot give every property below must refuse to start the
// sandbox; there is no weaker mode.

import type { LogFile } from '../log-file.ts'
import type { SandboxBounds } from './bounds.ts'
import type { SandboxSpec } from './oci-spec.ts'

/** As the kernel reports them for the sandbox's process, not as anybody asked for them. */
export interface SandboxFacts {
  readonly driver: 'oci'
  readonly runtime: string
  /** 2: a filter is active. */
  readonly seccomp: number
  /** 1: no program can raise its privileges. */
  readonly noNewPrivs: number
  /** Hexadecimal; all zero means that no capability can ever be held. */
  readonly capBnd: string
  readonly capEff: string
  readonly rootReadOnly: boolean
  /** `loopback`: a network namespace of its own in which nothing but lo exists. */
  readonly network: 'loopback' | 'host' | 'other'
  /** Namespaces that differ from the supervisor's own. */
  readonly namespaces: readonly string[]
  /** What bounds it: control groups for memory and threads, or resource limits of the process only. */
  readonly limits: 'cgroup' | 'rlimit'
  readonly bounds: SandboxBounds
}

export interface RunningSandbox {
  readonly name: string
  /** On the host. */
  readonly pid: number
  /** Resolves when the process is gone and the runtime's leftovers are deleted. */
  readonly exited: Promise<void>
  isAlive(): boolean
  /** SIGTERM, then SIGKILL; resolves as `exited` does. */
  stop(timeoutMs: number): Promise<void>
  /** Looks at once instead of at the next poll: something suggests that it has ended. */
  look(): void
}

export interface SandboxRequest {
  readonly spec: SandboxSpec
  /** Private folder for the runtime's bundle; emptied first. */
  readonly folder: string
  readonly log: LogFile
  readonly startTimeoutMs: number
}

export interface SandboxDriver {
  readonly name: string
  /**
   * Starts the sandbox and waits for its ready line.
   * @throws SupervisorError SANDBOX_FAILED with what the agent or the runtime said
   */
  start(request: SandboxRequest): Promise<RunningSandbox>
  /** Deletes what earlier starts of this deployment left behind, running or not; returns names. */
  sweep(): Promise<readonly string[]>
  facts(pid: number): SandboxFacts | undefined
}
