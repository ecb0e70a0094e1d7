// Which versions of the bus server are fit to be trusted with account isolation. Older ones let a
// client publish on foreign subjects through the trace header (GHSA-p3j5, fixed in 2.12.12 and
// 2.14.3) or crash before authentication. Whoever starts the server asks before it does.

/** The floor for a new installation; of the 2.12 line, 2.12.12 and later are fit too. */
export const minimumServerVersion = '2.14.3'

const floors: readonly (readonly [number, number, number])[] = [
  [2, 12, 12],
  [2, 14, 3],
]

/**
 * `version` as the server says it: `2.14.5`, `v2.14.5`. Absent means no: anything that is not a plain
 * version, and a pre-release of a floor, is not fit.
 */
export function isServerVersionFit(version: string): boolean {
  const parts = /^v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})(-[0-9A-Za-z.-]+)?$/.exec(version)
  if (parts === null) return false
  const [major, minor, patch] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  const line = floors.find((floor) => floor[0] === major && floor[1] === minor)
  if (line !== undefined) return parts[4] === undefined ? patch >= line[2] : patch > line[2]
  const newest = floors.at(-1)
  return newest !== undefined && (major > newest[0] || (major === newest[0] && minor > newest[1]))
}

/** The version in the output of `nats-server --version`, or undefined. */
export function parseServerVersion(output: string): string | undefined {
  return /^nats-server: (v\S+)\s*$/.exec(output)?.[1]
}
