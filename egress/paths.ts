// Paths in the one spelling that the gateway compares and sends. Whatever another reader could take
// for a different path is refused, not normalised: dots, double slashes, encoded separators, and any
// character that is encoded although it need not be. Pure.

import type { AllowRule } from './contract.ts'

const maxPathLength = 2_048
/** RFC 3986 pchar without `%`, and without `;`, at which some servers cut a segment. */
const plain = "A-Za-z0-9._~!$&'()*+,=:@-"
const shape = new RegExp(`^(?:/(?:[${plain}]|%[0-9A-F]{2})*)+$`)

/** Why it is not a path of ours, or undefined. */
export function faultOfPath(path: string): string | undefined {
  if (path.length > maxPathLength) return 'is too long'
  if (!path.startsWith('/')) return 'is not absolute'
  if (!shape.test(path)) return 'has a character that is refused'
  const segments = path.slice(1).split('/')
  // An empty last segment is a trailing slash; elsewhere it is `//`.
  if (segments.slice(0, -1).includes('')) return 'has an empty segment'
  for (const segment of segments) {
    const decoded = decodeSegment(segment)
    if (decoded === undefined) return 'has an encoding that is refused'
    if (/^\.+$/.test(decoded)) return 'has a segment of dots'
  }
  return undefined
}

/** The text of a segment; undefined when it could be read in two ways. */
function decodeSegment(segment: string): string | undefined {
  let text: string
  try {
    text = decodeURIComponent(segment)
  } catch {
    return undefined
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f/\\%;?#]/.test(text)) return undefined
  // Encoded where it need not be: another reader compares the text and sees the same path.
  const needless = [...segment.matchAll(/%([0-9A-F]{2})/g)].some(([, hex]) =>
    new RegExp(`[${plain}]`).test(String.fromCharCode(Number.parseInt(hex ?? '', 16))),
  )
  return needless ? undefined : text
}

/**
 * Values of a rule's `{name}` segments, as written in the path; undefined when it does not fit.
 * @param path one that faultOfPath has let through
 */
export function matchPath(template: string, path: string): ReadonlyMap<string, string> | undefined {
  const isOpen = template.endsWith('/*')
  const fixed = isOpen
    ? template.slice(1, -1).split('/').slice(0, -1)
    : template.slice(1).split('/')
  const segments = path.slice(1).split('/')
  if (isOpen ? segments.length <= fixed.length : segments.length !== fixed.length) return undefined
  const found = new Map<string, string>()
  for (const [index, wanted] of fixed.entries()) {
    const segment = segments[index] ?? ''
    const name = /^\{(.+)\}$/.exec(wanted)?.[1]
    if (name === undefined ? segment !== wanted : segment === '') return undefined
    if (name !== undefined) found.set(name, segment)
  }
  return found
}

/** An argument's text as a path segment carries it. */
export function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(/%(?:24|26|2B|2C|3A|3D|40)/g, decodeURIComponent)
}

/** Names of a rule's path parameters. */
export function parametersOf({ path }: AllowRule): ReadonlySet<string> {
  return new Set([...path.matchAll(/\{([^}]+)\}/g)].flatMap(([, name]) => name ?? []))
}
