// The first question about anything that claims to be a plan: is it plain JSON that every reader
// reads alike? Finite numbers that survive a double, whole characters, no prototype's names, no
// depth or size that makes later code recurse or crawl. Without recursion, because depth is in doubt.

import type { Findings } from './findings.ts'
import type { IssueCode } from './issues.ts'
import { limits } from './limits.ts'
import { toPointer } from './pointer.ts'

/** The names that security/verify/strict-json.ts refuses as keys: no agent would take such arguments. */
const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

interface Place {
  readonly value: unknown
  readonly depth: number
  readonly key: string | number
  readonly parent: Place | undefined
}

/** Reports what makes `root` more or less than JSON; nothing was reported when it is safe to walk. */
export function checkPlainValue(root: unknown, findings: Findings): void {
  const stack: Place[] = [{ value: root, depth: 0, key: '', parent: undefined }]
  // Shared parts count each time they are met, so that a small graph cannot unfold without end.
  let size = 0
  for (let place = stack.pop(); place !== undefined && !findings.full; place = stack.pop()) {
    size += 1 + (typeof place.value === 'string' ? place.value.length : 0)
    if (size > limits.planFileBytes) {
      findings.add({ code: 'LIMIT', path: '', message: 'the plan is longer than 1 MiB' })
      return
    }
    const fault = faultOf(place)
    if (fault !== undefined) {
      findings.add({ ...fault, path: pathOf(place) })
      continue
    }
    for (const [key, value] of childrenOf(place.value)) {
      stack.push({ value, depth: place.depth + 1, key, parent: place })
    }
  }
}

function faultOf({
  value,
  depth,
  key,
}: Place): { readonly code: IssueCode; readonly message: string } | undefined {
  if (typeof key === 'string') {
    if (forbiddenKeys.has(key))
      return { code: 'INVALID_NAME', message: `the key ${key} is refused` }
    if (!key.isWellFormed()) return { code: 'INVALID_NAME', message: 'a key has half a character' }
  }
  if (depth > limits.jsonDepth) {
    return { code: 'LIMIT', message: `nested deeper than ${limits.jsonDepth} levels` }
  }
  const message = isPlain(value)
  return message === undefined ? undefined : { code: 'INVALID_SHAPE', message }
}

function isPlain(value: unknown): string | undefined {
  switch (typeof value) {
    case 'boolean':
      return undefined
    case 'string':
      return value.isWellFormed() ? undefined : 'a text has half a character (a lone surrogate)'
    case 'number':
      if (!Number.isFinite(value)) return 'a number is not finite'
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        return 'a number is beyond 2^53 - 1, where not all numbers exist'
      }
      return undefined
    case 'object': {
      if (value === null || Array.isArray(value)) return undefined
      const prototype: unknown = Object.getPrototypeOf(value)
      return prototype === Object.prototype || prototype === null ? undefined : 'not a JSON value'
    }
    default:
      return 'not a JSON value'
  }
}

function childrenOf(value: unknown): Iterable<readonly [string | number, unknown]> {
  // By index, so that a hole in an array is seen as the undefined that it is.
  if (Array.isArray(value)) return value.entries()
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

function pathOf(place: Place): string {
  const tokens: (string | number)[] = []
  for (let at: Place | undefined = place; at?.parent !== undefined; at = at.parent) {
    tokens.push(at.key)
  }
  return toPointer(tokens.toReversed())
}
