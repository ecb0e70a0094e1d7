// What runs inside a sandbox: reads its secrets, looks at its own confinement, opens the ledger,
// connects to the bus, serves `exec`, says that it is ready, and leaves when the bus closes. The
// composition root of an agent; everything it decides is in runtime.ts. Outside a sandbox it serves
// only where its configuration says `insecure`.

import { readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '../plan/limits.ts'
import { type Bus, BusError, connectBus } from '../security/bus.ts'
import { agentIdOf } from './admission.ts'
import {
  type AgentConfig,
  type AgentPaths,
  type AgentSecrets,
  agentPaths,
  readSecrets,
} from './agent-config.ts'
import { startBusForwarder } from './bus-forwarder.ts'
import type { Notice, RuntimePoint } from './carry-out.ts'
import { ActionFailure, type AgentDefinition } from './define-agent.ts'
import { createEgressClient } from './egress-client.ts'
import { createEgressStreams } from './egress-stream.ts'
import { createTurnstile } from './gateway-call.ts'
import { startHeart } from './heart.ts'
import { type Ledger, openLedger } from './ledger.ts'
import { LedgerError } from './ledger-file.ts'
import type { Heartbeat, Reply } from './protocol.ts'
import type { ProgramPlace, ProgramRunner } from './run-program.ts'
import { createRuntime, type Runtime } from './runtime.ts'
import { assertSandbox, observeSandbox, type SandboxFacts } from './self-assertion.ts'
import { createTunnelClient } from './tunnel-client.ts'

export type CrashPoint = RuntimePoint | 'after-reply'

/** Given by an entry module, never by the environment or an argument. */
export interface RunOverrides {
  readonly paths?: Partial<AgentPaths>
  /** A crash test stops the process there; may never settle. */
  readonly onPoint?: (point: CrashPoint) => void | Promise<void>
  readonly now?: () => number
}

export interface RunningAgent {
  /** Goes into the ready line and into `health`. */
  readonly sandbox: Readonly<Record<string, unknown>>
  /** Resolves when the bus has closed. */
  readonly closed: Promise<void>
  stop(): Promise<void>
}

/** Descriptor of the pipe on which a process says once that it serves, or why not. */
const readyDescriptor = 3
/** A stop waits this long for what is under way, then leaves it unknown. Below the supervisor's own 3 s. */
const drainMs = 2_000
/** A reply has left the process when this has passed; the crash test of that point needs no more. */
const replyLeavesMs = 100

/** Of an agent that declares none. */
const noPrograms: ProgramRunner = async ({ program }) => {
  throw new ActionFailure('UNAVAILABLE', 'final', `there is no program ${program}`)
}

/** Runs the agent until its bus closes or SIGTERM, then ends the process. */
export async function runAgent(
  agent: AgentDefinition,
  overrides: RunOverrides = {},
): Promise<void> {
  let running: RunningAgent
  try {
    running = await startAgent(agent, overrides)
  } catch (cause) {
    const { code, message } = describeError(cause)
    say({ ready: false, code, message })
    log({ event: 'not-started', code, message })
    process.exit(1)
  }
  // As process 1 of its namespace it gets no default handlers.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void running.stop())
  }
  say({ ready: true, sandbox: running.sandbox })
  await running.closed
  process.exit(0)
}

/**
 * Everything but the process: for tests, and for `runAgent`.
 * @throws SelfAssertionError, BusError, z.ZodError
 */
export async function startAgent(
  agent: AgentDefinition,
  overrides: RunOverrides = {},
): Promise<RunningAgent> {
  const paths: AgentPaths = { ...agentPaths('/'), ...overrides.paths }
  const secrets = await readSecrets(paths.secrets)
  if (secrets.config.agent !== agent.manifest.name) {
    throw new Error(`the configuration is for ${secrets.config.agent}, not ${agent.manifest.name}`)
  }
  const facts = confine(secrets.config.insecure, paths.secrets, agent)
  const { ledger, state } = openOrRefuse(paths, secrets)
  const sandbox = { ...facts, ledger: state }
  const forwarder = await startBusForwarder(paths.busSocket)
  const bus = await connectBus({
    credentials: `${paths.secrets}/bus`,
    address: { host: forwarder.host, port: forwarder.port },
    // One connection is one life: whoever cut it off must know that this epoch is over.
    reconnect: false,
  })
  const subject = agentIdOf(agent, secrets.config)
  const now = overrides.now ?? Date.now
  const enter = createTurnstile()
  const runtime = createRuntime({
    agent,
    identity: secrets.config,
    tokenKeys: secrets.tokenKeys,
    sign: secrets.sign,
    ledger,
    sandbox,
    now,
    folder: mountedFolder(agent, paths),
    secret: declaredSecret(agent, paths),
    egress: createEgressClient(paths.egressSocket, enter),
    stream: createEgressStreams(paths.egressSocket, enter),
    tunnel: createTunnelClient(paths.egressSocket),
    program: agent.programs?.(declaredPrograms(agent, secrets.config)) ?? noPrograms,
    notice: (notice) => tell(bus, subject, notice),
    ...(overrides.onPoint === undefined ? {} : { onPoint: overrides.onPoint }),
  })
  const heart = startHeart({
    beat: () => beat(bus, runtime),
    everyMs: limits.heartbeatMs,
    onInterval: () => prune(ledger, now()),
  })
  serve(bus, runtime, { ...overrides, around: heart.around })
  await bus.flush()
  const closed = bus.closed().then(async () => {
    heart.stop()
    forwarder.close()
    // An effect that is under way ends in the ledger, so that the next life knows it.
    await runtime.idle(drainMs)
    ledger?.close()
  })
  const stop = async () => {
    await runtime.idle(drainMs)
    // What it did in the end would otherwise never be told.
    await beat(bus, runtime)
    await bus.close()
  }
  return { sandbox, closed, stop }
}

function confine(
  insecure: boolean,
  secrets: string,
  { manifest }: AgentDefinition,
): SandboxFacts | { readonly insecure: true } {
  if (insecure) return { insecure: true }
  const programs = (manifest.programs ?? []).map(({ name }) => name)
  const facts = observeSandbox(secrets, programs)
  assertSandbox(facts)
  return facts
}

/** An agent whose ledger cannot be used refuses every command, and can still say that it does. */
function openOrRefuse(
  paths: AgentPaths,
  { config, ledgerKey }: AgentSecrets,
): { readonly ledger: Ledger | undefined; readonly state: string } {
  try {
    const ledger = openLedger({
      folder: paths.ledger,
      id: config.ledgerId,
      maxBytes: config.ledgerBytes,
      key: ledgerKey,
      ...(paths.nativeBinding === undefined ? {} : { nativeBinding: paths.nativeBinding }),
    })
    ledger.prune(Date.now())
    return { ledger, state: 'OPEN' }
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause
    log({ event: 'ledger-unavailable', reason: cause.reason, message: cause.message })
    return { ledger: undefined, state: cause.reason }
  }
}

function mountedFolder(agent: AgentDefinition, paths: AgentPaths): (at: string) => string {
  const declared = new Set(agent.manifest.mounts.map((mount) => mount.at))
  return (at) => {
    if (!declared.has(at)) throw new Error(`the manifest declares no mount at ${at}`)
    return paths.mount(at)
  }
}

/** Read when it is asked for, so that nothing but the handler that needs it holds it. */
function declaredSecret({ manifest }: AgentDefinition, paths: AgentPaths) {
  const declared = new Set(manifest.secrets?.map(({ name }) => name))
  return (name: string) => {
    if (!declared.has(name)) throw new Error(`the manifest declares no secret ${name}`)
    return readFileSync(join(paths.secrets, name), 'utf8')
  }
}

/** What the supervisor says of programs counts only where the manifest asks for them. */
function declaredPrograms(
  { manifest }: AgentDefinition,
  { programs }: AgentConfig,
): readonly ProgramPlace[] {
  const declared = new Set(manifest.programs?.map(({ name }) => name))
  return programs.filter(({ name }) => declared.has(name))
}

function serve(
  bus: Bus,
  runtime: Runtime,
  {
    onPoint,
    around,
  }: RunOverrides & { readonly around: <T>(work: () => Promise<T>) => Promise<T> },
): void {
  const malformed = (code: 'MALFORMED' | 'EXPIRED_MESSAGE'): Reply => ({ status: 'REFUSED', code })
  bus.serve(
    'exec',
    async ({ payload }) => {
      const reply = await around(() => runtime.handle(payload))
      if (onPoint !== undefined) setTimeout(() => void onPoint('after-reply'), replyLeavesMs)
      return reply
    },
    { type: 'TASK_RESPONSE', onMalformed: malformed },
  )
}

async function beat(bus: Bus, runtime: Runtime): Promise<void> {
  const health = await runtime.handle({ op: 'health' })
  if (health.status !== 'HEALTHY') return
  const { bootEpoch, metrics } = health
  publish(bus, 'HEARTBEAT', { kind: 'heartbeat', bootEpoch, ...metrics } satisfies Heartbeat)
}

function prune(ledger: Ledger | undefined, now: number): void {
  try {
    ledger?.prune(now)
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause
    log({ event: 'ledger-not-pruned', reason: cause.reason })
  }
}

/** Refusals are security events: an honest worker causes none. */
function tell(bus: Bus, subject: string, notice: Notice): void {
  switch (notice.kind) {
    case 'refused':
    case 'not-recorded': {
      const { kind, ...details } = notice
      log({ event: kind, ...details })
      publish(bus, 'ERROR_NOTIFICATION', {
        kind: 'security',
        subject,
        summary: { event: kind, ...details },
      })
      return
    }
    case 'handler-error':
      log({ event: notice.kind, action: notice.action, ...locateError(notice.error) })
  }
}

/** Besides heartbeats the shape is the notary's `eventCall`, which agents may not import. */
function publish(
  bus: Bus,
  type: 'HEARTBEAT' | 'ERROR_NOTIFICATION',
  payload:
    | Heartbeat
    | { readonly kind: string; readonly subject: string; readonly summary: unknown },
): void {
  try {
    bus.publish('evt', { receiver: 'notary', type, correlationId: '' }, payload)
  } catch (cause) {
    // Without a bus this process is about to leave, and what it said is in its log.
    if (!(cause instanceof BusError)) throw cause
  }
}

/** Name and place of an error, not its message: libraries quote content there. */
function locateError(error: unknown): { readonly name: string; readonly at: readonly string[] } {
  if (!(error instanceof Error)) return { name: typeof error, at: [] }
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return { name: error.name, at: frames.slice(0, 5).map((line) => line.trim()) }
}

function describeError(error: unknown): { readonly code: string; readonly message: string } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'START_FAILED'
  return { code, message: error instanceof Error ? error.message : String(error) }
}

function say(line: unknown): void {
  writeSync(readyDescriptor, `${JSON.stringify(line)}\n`)
}

/** One JSON line; the supervisor keeps standard error in the agent's log file. */
function log(line: Readonly<Record<string, unknown>>): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`)
}
