// Values that JSON carries exactly, and whose keys no parser of ours refuses.

import fc from 'fast-check'

const forbidden = ['__proto__', 'constructor', 'prototype']
const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const key = text.filter((name) => !forbidden.includes(name))
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value))
    // JSON.parse gives -0 and the canonical form does not have it.
    .map((value) => (Object.is(value, -0) ? 0 : value)),
)

export const safeJson: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(fc.constant(null), fc.boolean(), number, text),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
})).value
