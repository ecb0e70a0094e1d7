// A process that remembers or forgets one thing and is killed between two commits, for the tests of memory.
// Arguments: folder, command (remember|forget), effect id, point. Exits with 3 when the point never came.

import { idOf } from '../../agents/memory/entry.ts'
import { openMemory } from '../../agents/memory/memory.ts'
import type { StorePoint } from '../../agents/memory/store.ts'

const [folder = '', command, idem = '', point] = process.argv.slice(2)
const onPoint = (reached: StorePoint) => {
  if (reached === point) process.kill(process.pid, 'SIGKILL')
}
const memory = openMemory(folder, { onPoint })
const now = Date.parse('2026-11-21T08:00:00Z')
const about = { kind: 'fact', label: 'UNTRUSTED', source: null, expires: null } as const
if (command === 'remember') {
  const entry = { ...about, text: 'The cellar key hangs in the hall.', remembered: now }
  memory.remember(idOf(idem), { entry, dryRun: false })
} else {
  memory.forget(idOf(idem), { by: idOf('killed'), now, dryRun: false })
}
process.exit(3)
