// `doctor`: looks at everything that `up` needs, without starting or changing anything, and says what
// to type for each thing that is wrong. Works whether or not the deployment runs.

import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { settingsOf } from '../plan/agent-settings.ts'
import type { AgentManifest, Catalogue } from '../plan/manifest.ts'
import { deploymentSchema } from '../security/deployment.ts'
import { workerBuild } from './bundles.ts'
import { SupervisorError } from './codes.ts'
import type { Environment } from './config.ts'
import { type Configuration, grantedFolders, loadConfiguration } from './configuration.ts'
import { checkApprover } from './doctor-approver.ts'
import { checkQuarantine } from './doctor-quarantine.ts'
import { checkLedgers, checkWitnesses, describeLimits, describeVolumes } from './doctor-storage.ts'
import { chooseRange, readIdMaps } from './ids.ts'
import { processStartTime } from './lock.ts'
import { checkPolicy } from './policy.ts'
import { type ConfiguredPorts, isFree, portNames } from './ports.ts'
import { findNamespaceObstacle, locateRuntime } from './sandbox/host.ts'
import { assertPrivate, stateLayout } from './state.ts'
import { askVersion, compareVersions, locateTool, type ToolName } from './toolchain.ts'

export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
  /** The command or step that repairs it. */
  readonly fix?: string
}

export interface DoctorReport {
  readonly ok: boolean
  readonly checks: readonly Check[]
}

export interface DoctorInput {
  readonly state: string
  readonly configFile: string
  readonly environment: Environment
  readonly catalogue: Catalogue
}

const nodeFloor = '24.0.0'
/** 1.1.5 is Debian 12's; older ones lack fixes to the handling of /proc inside containers. */
const runcFloor = '1.1.5'
const lowBytes = 512 * 1024 * 1024
/** Set before this, the clock is wrong: no file of this project is older. */
const earliestMs = Date.UTC(2026, 0, 1)

export async function examine(input: DoctorInput): Promise<DoctorReport> {
  const checks = await Promise.all([
    check('node', checkNode),
    check('temporal', () => checkTool('temporal', input.environment)),
    check('nats-server', () => checkTool('nats-server', input.environment)),
    check('runc', () => checkRuntime(input.environment)),
    check('user namespaces', checkNamespaces),
    check('control groups', describeLimits),
    check('ledger volumes', () => describeVolumes(input.environment)),
    check('ledgers', () => checkLedgers(input.state, input.catalogue)),
    check('audit witnesses', () => checkWitnesses(input.state, startedAt(input.state))),
    check('quarantine', () => checkQuarantine(input.state)),
    check('policy', () => checkPolicy(stateLayout(input.state))),
    check('setpriv', () => checkDeathSignal(input.environment)),
    check('disk', () => checkDisk(input.state)),
    check('clock', () => checkClock(input.state)),
    check('build', () => describeBuild(input.state)),
    check('state folder', () => checkState(input.state)),
    check('approver key', () => checkApprover(input.state)),
    check('process users', () => checkUsers(input.environment)),
    check('configuration', () => checkConfiguration(input)),
    check('ports', () => checkPorts(input)),
  ])
  return { ok: checks.every(({ ok }) => ok), checks }
}

/** The report for people. */
export function toText({ checks }: DoctorReport): string {
  const lines = checks.flatMap(({ name, ok, detail, fix }) => [
    `${ok ? 'ok  ' : 'FAIL'}  ${name}: ${detail}`,
    ...(ok || fix === undefined ? [] : [`      next: ${fix}`]),
  ])
  return `${lines.join('\n')}\n`
}

/** A detail, or an error that says what is wrong. */
async function check(name: string, look: () => Promise<string> | string): Promise<Check> {
  try {
    return { name, ok: true, detail: await look() }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    const fix = error instanceof SupervisorError ? error.next : undefined
    return { name, ok: false, detail, ...(fix === undefined ? {} : { fix }) }
  }
}

function checkNode(): string {
  const { node } = process.versions
  if (compareVersions(node, nodeFloor) < 0) {
    throw new SupervisorError('TOOL_UNFIT', `${node} is older than ${nodeFloor}`, {
      next: 'npm run setup',
    })
  }
  return node
}

async function checkTool(name: ToolName, environment: Environment): Promise<string> {
  const { path, version } = await locateTool(name, environment)
  return `${version} (${path})`
}

async function checkRuntime(environment: Environment): Promise<string> {
  const path = locateRuntime(environment)
  const version = await askVersion(path, ['--version'])
  if (version === undefined || compareVersions(version, runcFloor) < 0) {
    throw new SupervisorError(
      'TOOL_UNFIT',
      `${path} is ${version ?? 'unknown'}, older than ${runcFloor}`,
      {
        next: 'apt-get update && apt-get install --only-upgrade runc',
      },
    )
  }
  return `${version} (${path})`
}

function checkNamespaces(): string {
  const obstacle = findNamespaceObstacle()
  if (obstacle !== undefined) {
    throw new SupervisorError('SANDBOX_MISSING', obstacle.message, { next: obstacle.next })
  }
  return 'usable'
}

function checkDeathSignal(environment: Environment): string {
  const path = environment.path
    .map((folder) => `${folder}/setpriv`)
    .find((file) => existsSync(file))
  if (path === undefined && process.platform === 'linux') {
    throw new SupervisorError('TOOL_MISSING', 'servers would outlive a killed supervisor', {
      next: 'apt-get install util-linux',
    })
  }
  return path ?? 'not needed here'
}

function checkDisk(state: string): string {
  const { bavail, bsize } = statfsSync(firstExisting(state))
  const free = bavail * bsize
  const detail = `${Math.floor(free / 1024 / 1024)} MB free for ${state}`
  if (free < lowBytes) {
    throw new SupervisorError('DISK_FULL', detail, { next: `free some space (df -h ${state})` })
  }
  return detail
}

function firstExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : firstExisting(dirname(path))
}

/** Tokens live for seconds: a clock that jumped back makes the notary refuse everything. */
function checkClock(state: string): string {
  const now = Date.now()
  const { deploymentFile } = stateLayout(state)
  const known = readDeployment(deploymentFile)
  if (now < Math.max(earliestMs, known?.startedAt ?? 0)) {
    throw new SupervisorError('STATE_UNUSABLE', `it says ${new Date(now).toISOString()}`, {
      next: 'set the clock, for example: timedatectl set-ntp true',
    })
  }
  return new Date(now).toISOString()
}

/** Of the platform that runs now. */
function startedAt(state: string): number | undefined {
  const known = readDeployment(stateLayout(state).deploymentFile)
  return known !== undefined && processStartTime(known.pid) !== undefined
    ? known.startedAt
    : undefined
}

/** Said, not failed: the worker that runs goes on with the code that it has loaded. */
function describeBuild(state: string): string {
  const here = workerBuild()
  const { deploymentFile } = stateLayout(state)
  const running = startedAt(state) === undefined ? undefined : readDeployment(deploymentFile)
  const there = running?.build
  if (there === undefined || there === here) return here
  return `${here}; the platform that runs is ${there}: stop and start it to go on with this one`
}

function readDeployment(file: string) {
  if (!existsSync(file)) return undefined
  return deploymentSchema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data
}

function checkState(state: string): string {
  if (!existsSync(state)) return `${state} does not exist yet; the first start creates it`
  assertPrivate(state)
  return `${state} is private`
}

/** Said, not failed: what a person accepts by not starting it as root. `maps`: of /proc/self. */
export function describeUsers(
  isRoot: boolean,
  maps: { readonly uid: string; readonly gid: string },
  systemFolder: string,
): string {
  if (!isRoot) {
    return 'all processes and agents share your user id: a compromised worker is not contained, and can read and change what the notary keeps'
  }
  const range = chooseRange(maps.uid, maps.gid)
  return range === undefined
    ? 'all processes run as root, because too few user ids exist here: a compromised worker is not contained'
    : `each process and each agent has a user id of its own, from ${range.first} on (${systemFolder}/ids)`
}

function checkUsers({ systemFolder }: Environment): string {
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0
  return describeUsers(isRoot, isRoot ? readIdMaps() : { uid: '', gid: '' }, systemFolder)
}

function checkConfiguration({ configFile, catalogue, state }: DoctorInput): string {
  // Before the first start there is nothing to be wrong; a file that was named must be there.
  if (configFile === stateLayout(state).configuration && !existsSync(configFile)) {
    return `${configFile} does not exist yet; npm start makes one for the sample home`
  }
  const configuration = loadConfiguration(configFile, catalogue)
  const unused: string[] = []
  for (const manifest of catalogue.values()) {
    // Nobody has to use every agent; one of which something is set is meant to work.
    if (isNamed(manifest, configuration)) grantedFolders(manifest, configuration)
    else unused.push(manifest.name)
  }
  return unused.length === 0 ? configFile : `${configFile}; not set up: ${unused.join(', ')}`
}

/** Something is set of it, or there is nothing to set. */
function isNamed(manifest: AgentManifest, { value }: Pick<Configuration, 'value'>): boolean {
  const settings = settingsOf(manifest)
  return (
    settings.length === 0 ||
    settings.some(({ name }) => value(`${manifest.name}.${name}`) !== undefined)
  )
}

async function checkPorts(input: DoctorInput): Promise<string> {
  const { configFile, state } = input
  const configured = loadPorts(input)
  const known = readDeployment(stateLayout(state).deploymentFile)
  if (known !== undefined && processStartTime(known.pid) !== undefined) {
    return 'in use by the running deployment'
  }
  const names = portNames.filter((name) => configured[name] !== undefined)
  for (const name of names) {
    const port = configured[name] ?? 0
    if (await isFree(port)) continue
    throw new SupervisorError('PORT_TAKEN', `port ${port} (ports.${name}) is taken`, {
      next: `choose another ports.${name} in ${configFile}`,
    })
  }
  return names.length === 0 ? 'chosen at each start' : `free: ${names.join(', ')}`
}

function loadPorts({ configFile, catalogue }: DoctorInput): ConfiguredPorts {
  try {
    return loadConfiguration(configFile, catalogue).ports
  } catch {
    // The configuration has a check of its own.
    return {}
  }
}
