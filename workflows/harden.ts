// Preloaded into every workflow isolate: freezes the intrinsics that all workflows of a worker
// share, so that a prototype polluted by one can never be read by another; the polluter fails
// instead. Does not close the escape through a host object's constructor: the workflow sandbox is
// no security boundary, which is why nothing of a plan is ever evaluated here.

const shared = [
  Object,
  Function,
  Array,
  String,
  Number,
  Boolean,
  Symbol,
  BigInt,
  Promise,
  Map,
  Set,
  WeakMap,
  WeakSet,
  RegExp,
  ArrayBuffer,
  Uint8Array,
]
// Date and the errors stay open: the SDK replaces the first, libraries set `name` on the second.
for (const { prototype } of shared) Object.freeze(prototype)

const arrayIterator: object = Object.getPrototypeOf([][Symbol.iterator]())
Object.freeze(arrayIterator)
Object.freeze(Object.getPrototypeOf(arrayIterator))
Object.freeze(Object.getPrototypeOf(async () => undefined))
Object.freeze(
  Object.getPrototypeOf(function* none() {
    // Only its prototype is wanted.
  }),
)
