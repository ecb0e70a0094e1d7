// The state folder: where everything of one deployment lies, and who may look. Paths in one place;
// every folder 0700, until party-folders.ts opens some to the users of single parties. Which process
// owns which part is the table in ARCHITECTURE.md. Nothing here
// reads or writes a secret.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { SupervisorError } from './codes.ts'

export interface ReplicaAddress {
  readonly agent: string
  readonly n: number
}

export interface ReplicaLayout {
  readonly folder: string
  readonly bus: string
  readonly secrets: string
  readonly ledger: string
  /** Of the ledger's own file system, where it has one. */
  readonly ledgerImage: string
  readonly ledgerKey: string
  readonly ledgerId: string
  readonly bundle: string
  readonly run: string
}

export interface StateLayout {
  readonly root: string
  readonly deploymentId: string
  readonly configuration: string
  readonly natsConfig: string
  readonly caFile: string
  readonly tokenKeys: string
  /** Public keys of the audit. */
  readonly auditKey: string
  readonly notary: string
  readonly worker: string
  /** What the owner's commands need. */
  readonly cli: string
  readonly gateway: string
  readonly supervisorBus: string
  /** Credentials of the watch over connections. */
  readonly supervisorWatch: string
  /** The supervisor's copy of what the notary says is shut out. */
  readonly quarantineFile: string
  /** Who is enrolled besides the owner. */
  readonly peopleFile: string
  /** Whose replicas are which, of agents of one's own. */
  readonly slotsFile: string
  /** What every agent can reach, and what the owner accepted of it. */
  readonly reach: { readonly current: string; readonly accepted: string }
  /** The person's lists of people and places, for the command. */
  readonly namesFile: string
  readonly temporalDb: string
  readonly logs: string
  readonly run: string
  readonly runc: string
  readonly lock: string
  /** A folder for each replica. */
  readonly agents: string
  readonly deploymentFile: string
  replica(address: ReplicaAddress): ReplicaLayout
}

export function stateLayout(root: string): StateLayout {
  const run = join(root, 'run')
  return {
    root,
    deploymentId: join(root, 'deployment-id'),
    configuration: join(root, 'bulkhead.yaml'),
    natsConfig: join(root, 'nats', 'nats.conf'),
    caFile: join(root, 'pki', 'ca.pem'),
    tokenKeys: join(root, 'public', 'token-keys.json'),
    auditKey: join(root, 'public', 'audit-key.json'),
    notary: join(root, 'notary'),
    worker: join(root, 'worker'),
    cli: join(root, 'cli'),
    gateway: join(root, 'gateway'),
    supervisorBus: join(root, 'supervisor', 'bus'),
    supervisorWatch: join(root, 'supervisor', 'sys'),
    quarantineFile: join(root, 'supervisor', 'quarantine.json'),
    peopleFile: join(root, 'supervisor', 'users.json'),
    slotsFile: join(root, 'supervisor', 'slots.json'),
    reach: {
      current: join(root, 'public', 'reach.json'),
      accepted: join(root, 'supervisor', 'accepted-reach.json'),
    },
    namesFile: join(root, 'cli', 'names.json'),
    temporalDb: join(root, 'temporal', 'temporal.db'),
    logs: join(root, 'logs'),
    run,
    runc: join(run, 'runc'),
    lock: join(run, 'supervisor.lock'),
    agents: join(root, 'agents'),
    deploymentFile: join(run, 'deployment.json'),
    replica({ agent, n }) {
      const folder = join(root, 'agents', `${agent}.${n}`)
      return {
        folder,
        bus: join(folder, 'bus'),
        secrets: join(folder, 'secrets'),
        ledger: join(folder, 'ledger'),
        ledgerImage: join(folder, 'ledger.img'),
        ledgerKey: join(folder, 'ledger.key'),
        ledgerId: join(folder, 'ledger.id'),
        bundle: join(folder, 'bundle'),
        run: join(folder, 'run'),
      }
    },
  }
}

/**
 * Creates the folders that are missing. A state folder that is open to others is closed; a folder
 * that is something else is left alone.
 * @throws SupervisorError STATE_UNUSABLE
 */
export function prepareState(layout: StateLayout, replicas: readonly ReplicaAddress[]): void {
  if (existsSync(layout.root)) {
    // Not without need: another supervisor's processes may be passing through it.
    if (isOpen(layout.root) && looksLikeState(layout.root)) chmodSync(layout.root, 0o700)
    assertPrivate(layout.root)
  }
  const folders = [
    layout.root,
    ...['notary', 'worker', 'temporal', 'agents', 'supervisor'].map((name) =>
      join(layout.root, name),
    ),
    layout.logs,
    layout.run,
    layout.runc,
  ]
  for (const folder of folders) mkdirSync(folder, { recursive: true, mode: 0o700 })
  prepareReplicaFolders(layout, replicas)
}

export function prepareReplicaFolders(
  layout: StateLayout,
  replicas: readonly ReplicaAddress[],
): void {
  for (const replica of replicas) {
    mkdirSync(layout.replica(replica).run, { recursive: true, mode: 0o700 })
  }
}

/** Empty, or with what a deployment or the sample home puts there: nobody's other folder. */
function looksLikeState(folder: string): boolean {
  const uid = process.getuid?.()
  if (uid !== undefined && statSync(folder).uid !== uid) return false
  const names = readdirSync(folder)
  const isHome = names.includes('bulkhead.yaml') && names.includes('agents')
  return names.length === 0 || names.includes('deployment-id') || isHome
}

/** As root, users of single parties pass through to what is theirs; nobody can list or write. */
function isOpen(folder: string): boolean {
  const open = process.getuid?.() === 0 ? 0o066 : 0o077
  return (statSync(folder).mode & open) !== 0
}

/** @throws SupervisorError STATE_UNUSABLE */
export function assertPrivate(folder: string): void {
  const facts = statSync(folder)
  const uid = process.getuid?.()
  if (!facts.isDirectory() || (uid !== undefined && facts.uid !== uid)) {
    throw new SupervisorError('STATE_UNUSABLE', `${folder} is not a folder of yours`, {
      next: 'choose another folder with --state',
    })
  }
  if (isOpen(folder)) {
    throw new SupervisorError('STATE_UNUSABLE', `${folder} is open to other users`, {
      next: `chmod 700 ${folder}`,
    })
  }
}

/** The kernel's limit for the path of a Unix socket, without the final NUL. */
const socketPathBytes = 107

/**
 * The folder for sockets: `<state>/run`, or, where the longest name would not fit the kernel's limit,
 * a folder with an unpredictable name below `temporaryFolder`.
 */
export function prepareSocketFolder(
  layout: StateLayout,
  options: { readonly names: readonly string[]; readonly temporaryFolder: string },
): string {
  removeSocketFolder(layout)
  const fits = options.names.every(
    (name) => Buffer.byteLength(join(layout.run, name)) <= socketPathBytes,
  )
  if (fits) return layout.run
  const folder = mkdtempSync(join(options.temporaryFolder, 'bulkhead-'))
  // As root, the gateway passes through it to its own sockets.
  chmodSync(folder, process.getuid?.() === 0 ? 0o711 : 0o700)
  writeFileSync(noteOf(layout), folder, { mode: 0o600 })
  return folder
}

/** Where the short folder is written down, for the start after a kill. */
const noteOf = (layout: StateLayout) => join(layout.run, 'sockets.path')

/** Removes the short folder of this or of an earlier start, if there is one. */
export function removeSocketFolder(layout: StateLayout): void {
  const note = noteOf(layout)
  if (!existsSync(note)) return
  const folder = readFileSync(note, 'utf8')
  if (existsSync(folder)) {
    // Somebody else may have made one of that name since.
    assertPrivate(folder)
    rmSync(folder, { recursive: true, force: true })
  }
  rmSync(note)
}
