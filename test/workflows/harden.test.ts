// The frozen intrinsics, in a realm of their own so that the test's own stay as they are.

import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { describe, expect, it } from 'vitest'

const source = stripTypeScriptTypes(
  await readFile(join(import.meta.dirname, '..', '..', 'workflows', 'harden.ts'), 'utf8'),
)

function realm(hardened: boolean): (code: string) => unknown {
  const context = createContext({})
  if (hardened) runInContext(source, context)
  return (code) => runInContext(`'use strict'; ${code}`, context)
}

const pollutions = [
  'Object.prototype.isApproved = true',
  'JSON.parse(\'{"__proto__":{"x":1}}\').__proto__.constructor.prototype.x = 1',
  'Array.prototype.map = () => []',
  'Map.prototype.get = () => undefined',
  'Promise.prototype.then = () => undefined',
  'Function.prototype.call = () => undefined',
  'Object.getPrototypeOf([][Symbol.iterator]()).next = () => ({ done: true })',
  'String.prototype.slice = () => ""',
]

describe('the hardened realm', () => {
  it.each(pollutions)('refuses %s', (code) => {
    expect(() => realm(true)(code)).toThrow()
  })

  it.each(pollutions)('would otherwise admit %s', (code) => {
    expect(() => realm(false)(code)).not.toThrow()
  })

  it('leaves ordinary work alone', () => {
    expect(realm(true)('const m = new Map([["a", 1]]); [...m].map(([k, v]) => k + v).join()')).toBe(
      'a1',
    )
  })
})
