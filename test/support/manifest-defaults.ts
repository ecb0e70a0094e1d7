// What the manifests of tests have in common: small agents of one replica, actions that the owner alone
// sees and that can be repeated. A test spreads them first and says what is different.

export const plainAgent = {
  summary: 'for tests',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'ledger',
  perUser: false,
  mounts: [],
} as const

export const plainAction = {
  audience: 'owner',
  undo: 'none',
  idempotent: true,
  timeoutMs: 5_000,
  maxResultBytes: 64 * 1024,
  summary: 'for tests',
} as const
