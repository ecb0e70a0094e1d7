import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  appendLeaf,
  emptyTree,
  leafHash,
  parseTree,
  serializeTree,
  type Tree,
  treeRoot,
} from '../../security/audit/tree.ts'

const hex = (hash: string) => Buffer.from(hash, 'base64url').toString('hex')
const grow = (data: readonly Uint8Array[], from: Tree = emptyTree()) =>
  data.reduce((tree, item) => appendLeaf(tree, leafHash(item)), from)

/** RFC 6962, section 2.1, word for word. */
function naiveRoot(data: readonly Uint8Array[]): Buffer {
  const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
  const [only] = data
  if (only === undefined) return sha()
  if (data.length === 1) return sha(Uint8Array.of(0), only)
  let k = 1
  while (k * 2 < data.length) k *= 2
  return sha(Uint8Array.of(1), naiveRoot(data.slice(0, k)), naiveRoot(data.slice(k)))
}

// The leaves and roots that Certificate Transparency's own test suites publish.
const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657'].concat(
  '606162636465666768696a6b6c6d6e6f',
)
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

describe('the Merkle tree', () => {
  it.each(roots.map((root, size) => [size, root] as const))(
    'of %i published leaves',
    (size, root) => {
      const data = leaves.slice(0, size).map((leaf) => Buffer.from(leaf, 'hex'))
      expect(hex(treeRoot(grow(data)))).toBe(root)
    },
  )

  it('equals the recursion of the RFC for any leaves', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 130 }), (data) => {
        expect(hex(treeRoot(grow(data)))).toBe(naiveRoot(data).toString('hex'))
      }),
      { numRuns: 50 },
    )
  })

  it('goes on where it was stored', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 4 }), { maxLength: 70 }),
        fc.nat(),
        (data, at) => {
          const cut = data.length === 0 ? 0 : at % data.length
          const stored = parseTree(serializeTree(grow(data.slice(0, cut))))
          expect(grow(data.slice(cut), stored)).toEqual(grow(data))
        },
      ),
      { numRuns: 50 },
    )
  })

  it('does not change a tree that it appends to', () => {
    const tree = grow([Buffer.from('a')])
    const before = serializeTree(tree)
    appendLeaf(tree, leafHash('b'))
    expect(serializeTree(tree)).toBe(before)
  })

  it('does not mistake a node for a leaf', () => {
    const two = grow([Buffer.from('a'), Buffer.from('b')])
    const children = Buffer.concat(
      ['a', 'b'].map((leaf) => Buffer.from(leafHash(leaf), 'base64url')),
    )
    expect(leafHash(children)).not.toBe(treeRoot(two))
  })

  it.each([
    ['too few peaks', '{"size":3,"peaks":[]}'],
    ['too many peaks', `{"size":0,"peaks":["${'A'.repeat(43)}"]}`],
    ['a peak that is no hash', '{"size":1,"peaks":["A"]}'],
    ['a negative size', '{"size":-1,"peaks":[]}'],
    ['no JSON', 'tree'],
  ])('is not read from a text with %s', (_name, stored) => {
    expect(() => parseTree(stored)).toThrow()
  })
})
