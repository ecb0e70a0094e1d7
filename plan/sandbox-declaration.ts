// What a manifest declares of its sandbox beyond mounts: how much it may store, how much memory and how
// many processes it may have, which secrets of the person's it is given and which programs it may run.
// Data, and what is wrong with it; nothing here reads a secret.

/** One secret, put into this agent's sandbox alone, found there under its name. */
export interface SecretDeclaration {
  readonly name: string
  /** Key of `bulkhead.yaml`, `<agent>.<setting>`, whose value is a reference: file://, env://, ... */
  readonly from: { readonly config: string }
}

/** One program of the machine's, found by the agent under its name; see docs/adr/0041. */
export interface ProgramDeclaration {
  readonly name: string
  /**
   * Key of `bulkhead.yaml`, `<agent>.<setting>`, whose value is an absolute path. Where the setting is
   * not made the agent starts without the program.
   */
  readonly from: { readonly config: string }
  /** A native executable, or a Python script with the absolute path of its interpreter in the first line. */
  readonly kind: 'elf' | 'python'
}

/** Where the usual limits are too small; see supervisor/sandbox/oci-spec.ts. */
export interface LimitsDeclaration {
  /** Of the whole sandbox. */
  readonly memoryBytes?: number
  /** Processes and threads together. */
  readonly pids?: number
  /** Of any one file that it writes. */
  readonly fileBytes?: number
}

export interface SandboxDeclaration {
  readonly name: string
  /** Bytes of its ledger volume, and of what it may add to each of the person's folders in one life. */
  readonly storageBytes?: number
  readonly secrets?: readonly SecretDeclaration[]
  readonly programs?: readonly ProgramDeclaration[]
  readonly limits?: LimitsDeclaration
}

const mebibyte = 1024 * 1024
/** contracts.md, "Limits": ledger volume of an agent whose manifest says nothing else. */
const defaultStorageBytes = 64 * mebibyte
/** More than any ledger comes to in its 400 days; a larger figure is a slip of the pen. */
const maxStorageBytes = 16 * 1024 * mebibyte
/** A credential has a line of text; an agent with more of them than this is several agents. */
const maxSecrets = 16
/** Each is one more thing that whoever has taken over the agent could run. */
const maxPrograms = 4
/** Of secrets and of programs. */
const namePattern = /^[a-z][a-z0-9-]{0,39}$/
/** From what an agent needs at all to what a small machine has. */
const ranges: Readonly<Record<keyof LimitsDeclaration, readonly [number, number]>> = {
  memoryBytes: [128 * mebibyte, 2048 * mebibyte],
  pids: [64, 512],
  fileBytes: [mebibyte, maxStorageBytes],
}
/** Names that the sandbox's own files have. */
const takenNames = ['bus']

export function storageBytesOf({ storageBytes }: Pick<SandboxDeclaration, 'storageBytes'>): number {
  return storageBytes ?? defaultStorageBytes
}

/** The database's part of the volume; the rest is for SQLite's log and for the file system itself. */
export function ledgerBytesOf(storageBytes: number): number {
  return storageBytes - 16 * mebibyte
}

/** What is wrong, in words; undefined when nothing is. */
export function faultOfSandbox(declaration: SandboxDeclaration): string | undefined {
  const { name, secrets = [] } = declaration
  const bytes = storageBytesOf(declaration)
  if (!Number.isSafeInteger(bytes) || bytes < defaultStorageBytes || bytes > maxStorageBytes) {
    return `${name} asks for an amount of storage that it cannot have`
  }
  if (secrets.length > maxSecrets) return `${name} asks for too many secrets`
  const wrong = secrets.find((one) => !namePattern.test(one.name) || takenNames.includes(one.name))
  if (wrong !== undefined) return `${name}: ${wrong.name} is not a name for a secret`
  if (new Set(secrets.map((one) => one.name)).size !== secrets.length) {
    return `${name} has two secrets of one name`
  }
  const foreign = secrets.find(({ from }) => !isOwnSetting(name, from.config))
  if (foreign !== undefined)
    return `${name} asks for another agent's secret: ${foreign.from.config}`
  return faultOfPrograms(declaration) ?? faultOfLimits(declaration)
}

function faultOfPrograms({ name, programs = [] }: SandboxDeclaration): string | undefined {
  if (programs.length > maxPrograms) return `${name} asks for too many programs`
  const wrong = programs.find((one) => !namePattern.test(one.name))
  if (wrong !== undefined) return `${name}: ${wrong.name} is not a name for a program`
  if (new Set(programs.map((one) => one.name)).size !== programs.length) {
    return `${name} has two programs of one name`
  }
  const foreign = programs.find(({ from }) => !isOwnSetting(name, from.config))
  return foreign === undefined
    ? undefined
    : `${name} asks for another agent's program: ${foreign.from.config}`
}

function faultOfLimits({ name, limits = {} }: SandboxDeclaration): string | undefined {
  const wrong = Object.entries(ranges).find(([key, [least, most]]) => {
    const value = limits[key as keyof LimitsDeclaration]
    return value !== undefined && !(Number.isSafeInteger(value) && value >= least && value <= most)
  })
  return wrong === undefined ? undefined : `${name}: a limit of ${wrong[0]} that it cannot have`
}

function isOwnSetting(agent: string, key: string): boolean {
  const [owner, setting, ...more] = key.split('.')
  return owner === agent && setting !== undefined && setting !== '' && more.length === 0
}
