// Which addresses are reached: after resolution, about the very address that is then used.

import { describe, expect, it } from 'vitest'
import { chooseAddress, kindOfAddress } from '../../egress/addresses.ts'

const kinds: readonly (readonly [string, ReturnType<typeof kindOfAddress>])[] = [
  ['93.184.216.34', 'public'],
  ['1.1.1.1', 'public'],
  ['172.15.255.255', 'public'],
  ['172.32.0.0', 'public'],
  ['2606:4700:4700::1111', 'public'],
  ['2a00:1450::1', 'public'],
  ['127.0.0.1', 'own'],
  ['127.255.255.254', 'own'],
  ['10.0.0.1', 'own'],
  ['172.16.0.1', 'own'],
  ['172.31.255.255', 'own'],
  ['192.168.0.1', 'own'],
  ['100.64.0.1', 'own'],
  ['198.18.0.1', 'own'],
  ['::1', 'own'],
  ['fd00::1', 'own'],
  ['0.0.0.0', 'never'],
  ['169.254.169.254', 'never'],
  ['169.254.0.1', 'never'],
  ['192.0.0.192', 'never'],
  ['192.0.2.1', 'never'],
  ['192.88.99.1', 'never'],
  ['198.51.100.1', 'never'],
  ['203.0.113.1', 'never'],
  ['224.0.0.1', 'never'],
  ['255.255.255.255', 'never'],
  ['::', 'never'],
  ['fe80::1', 'never'],
  ['fe80::1%lo', 'never'],
  ['2606:4700:4700::1111%lo', 'never'],
  ['fec0::1', 'never'],
  ['ff02::1', 'never'],
  ['::ffff:127.0.0.1', 'never'],
  ['::ffff:1.1.1.1', 'never'],
  ['::7f00:1', 'never'],
  ['64:ff9b::7f00:1', 'never'],
  ['64:ff9b:1::1', 'never'],
  ['100::1', 'never'],
  ['2001::1', 'never'],
  ['2001:db8::1', 'never'],
  ['2002:7f00:1::', 'never'],
  ['3fff::1', 'never'],
  ['5f00::1', 'never'],
  ['fd00:ec2::254', 'own'],
  ['not an address', 'never'],
  ['127.1', 'never'],
]

describe('an address', () => {
  it.each(kinds)('%s is %s', (address, kind) => {
    expect(kindOfAddress(address)).toBe(kind)
  })

  it('is the first of those a name has', () => {
    const both = ['1.1.1.1', '1.0.0.1']
    expect(chooseAddress(both, { own: false, public: true, missing: 'line' })).toBe('1.1.1.1')
  })

  it('is refused when it is the own network and nobody named it', () => {
    const choose = () => chooseAddress(['127.0.0.1'], { own: false, public: true, missing: 'line' })
    expect(choose).toThrow(expect.objectContaining({ code: 'ADDRESS_REFUSED', missing: 'line' }))
    expect(chooseAddress(['127.0.0.1'], { own: true, public: true, missing: 'line' })).toBe(
      '127.0.0.1',
    )
  })

  it('is refused when it is one of several that are fine', () => {
    const mixed = ['1.1.1.1', '10.0.0.1']
    expect(() => chooseAddress(mixed, { own: false, public: true, missing: '' })).toThrow(
      expect.objectContaining({ code: 'ADDRESS_REFUSED' }),
    )
  })

  it('is refused when it is not of the house, where nothing else may be told', () => {
    const inside = { own: true, public: false, missing: '' }
    expect(chooseAddress(['192.168.1.7'], inside)).toBe('192.168.1.7')
    for (const outside of [['1.1.1.1'], ['192.168.1.7', '1.1.1.1']]) {
      expect(() => chooseAddress(outside, inside)).toThrow(
        expect.objectContaining({ code: 'ADDRESS_REFUSED', missing: undefined }),
      )
    }
  })

  it('of cloud metadata is refused whoever named it', () => {
    expect(() =>
      chooseAddress(['169.254.169.254'], { own: true, public: true, missing: '' }),
    ).toThrow(expect.objectContaining({ code: 'ADDRESS_REFUSED', missing: undefined }))
  })

  it('must exist', () => {
    expect(() => chooseAddress([], { own: true, public: true, missing: '' })).toThrow(
      expect.objectContaining({ code: 'NAME_UNRESOLVED' }),
    )
  })
})
