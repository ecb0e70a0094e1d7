// Names of copies of `audit.db` that lie beside it, and what the first bytes of one say. The notary
// makes a copy before it changes the file's schema; the supervisor lists copies and puts one back.
// Pure: opens nothing.

/** The one file that is copied, in the notary's folder. */
export const auditFile = 'audit.db'

/** Why a copy was made: before its schema was changed, or because another was put in its place. */
export type CopyKind = 'before-migration' | 'replaced'

export interface CopyName {
  readonly kind: CopyKind
  /** Schema version of the file that was copied. */
  readonly version: number
  /** When, in milliseconds since the epoch. */
  readonly at: number
}

/** `audit.db.v3-20261121T140000.000Z`, `audit.db.replaced-v4-…`: sorts by time within a kind. */
export function toCopyName({ kind, version, at }: CopyName): string {
  const time = new Date(at).toISOString().replaceAll(/[-:]/g, '')
  return `${auditFile}.${kind === 'replaced' ? 'replaced-' : ''}v${version}-${time}`
}

const pattern = /^audit\.db\.(replaced-)?v(\d{1,6})-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3}Z)$/

/** Undefined for any other name. */
export function parseCopyName(name: string): CopyName | undefined {
  const [, replaced, version, year, month, day, hour, minute, second] = pattern.exec(name) ?? []
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}`)
  if (version === undefined || Number.isNaN(at)) return undefined
  const kind = replaced === undefined ? 'before-migration' : 'replaced'
  return { kind, version: Number(version), at }
}

/** As many bytes of a file as `schemaVersionOf` needs. */
export const headerBytes = 100
const magic = 'SQLite format 3\0'
/** Offset of `user_version`, big-endian: https://www.sqlite.org/fileformat.html, section 1.3. */
const versionOffset = 60

/** The schema version that a database file names in its header; undefined when it is none. */
export function schemaVersionOf(header: Buffer): number | undefined {
  if (header.length < headerBytes || header.toString('latin1', 0, magic.length) !== magic) return
  return header.readUInt32BE(versionOffset)
}
