// Results at rest open with exactly their key, their id and their bytes.

import { describe, expect, it } from 'vitest'
import { openSealed, parseSealingKey, seal } from '../../agents/ledger-seal.ts'

const key = parseSealingKey('A'.repeat(43))
const otherKey = parseSealingKey(`${'B'.repeat(42)}A`)

describe('a sealed text', () => {
  const sealed = seal(key, 'id', 'text')
  it('opens with its key and id', () => expect(openSealed(key, 'id', sealed)).toBe('text'))
  it('does not open with another key', () =>
    expect(openSealed(otherKey, 'id', sealed)).toBeUndefined())
  it('does not open under another id', () =>
    expect(openSealed(key, 'other', sealed)).toBeUndefined())
  it('does not open when a byte was changed or lost', () => {
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      expect(openSealed(key, 'id', changed)).toBeUndefined()
    }
    expect(openSealed(key, 'id', sealed.subarray(0, 20))).toBeUndefined()
  })
  it('differs each time', () => expect(seal(key, 'id', 'text')).not.toEqual(sealed))
  it.each(['', 'short', 'A'.repeat(44), `${'A'.repeat(42)}=`])('has no key from %j', (text) => {
    expect(() => parseSealingKey(text)).toThrow('32 bytes')
  })
})
