// What a manifest declares of its sandbox beyond mounts: how much it may store, and which secrets of
// the person's it is given. Data, and what is wrong with it; nothing here reads a secret.

/** One secret, put into this agent's sandbox alone, found there under its name. */
export interface SecretDeclaration {
  readonly name: string
  /** Key of `bulkhead.yaml`, `<agent>.<setting>`, whose value is a reference: file://, env://, ... */
  readonly from: { readonly config: string }
}

export interface SandboxDeclaration {
  readonly name: string
  /** Bytes of its ledger volume, and of what it may add to each of the person's folders in one life. */
  readonly storageBytes?: number
  readonly secrets?: readonly SecretDeclaration[]
}

const mebibyte = 1024 * 1024
/** contracts.md, "Limits": ledger volume of an agent whose manifest says nothing else. */
const defaultStorageBytes = 64 * mebibyte
/** More than any ledger comes to in its 400 days; a larger figure is a slip of the pen. */
const maxStorageBytes = 16 * 1024 * mebibyte
/** A credential has a line of text; an agent with more of them than this is several agents. */
const maxSecrets = 16
const secretPattern = /^[a-z][a-z0-9-]{0,39}$/
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
  const wrong = secrets.find(
    (one) => !secretPattern.test(one.name) || takenNames.includes(one.name),
  )
  if (wrong !== undefined) return `${name}: ${wrong.name} is not a name for a secret`
  if (new Set(secrets.map((one) => one.name)).size !== secrets.length) {
    return `${name} has two secrets of one name`
  }
  const foreign = secrets.find(({ from }) => !isOwnSetting(name, from.config))
  return foreign === undefined
    ? undefined
    : `${name} asks for another agent's secret: ${foreign.from.config}`
}

function isOwnSetting(agent: string, key: string): boolean {
  const [owner, setting, ...more] = key.split('.')
  return owner === agent && setting !== undefined && setting !== '' && more.length === 0
}
