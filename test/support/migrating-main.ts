// Run by the migration tests: opens `audit.db` and stops for good at the phase that it is told, saying
// so on standard output, to be killed there. Without a phase it opens the file, or says why it cannot.

import { writeSync } from 'node:fs'
import { openDatabase, StoreError } from '../../notary/database.ts'

const [file = '', stopAt] = process.argv.slice(2)
const say = (line: unknown) => writeSync(1, `${JSON.stringify(line)}\n`)
try {
  const db = openDatabase(file, {
    onPhase: (phase) => {
      if (phase !== stopAt) return
      say({ phase })
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    },
  })
  say({ version: db.pragma('user_version', { simple: true }) })
  db.close()
} catch (error) {
  if (!(error instanceof StoreError)) throw error
  say({ code: error.code, message: error.message, next: error.next })
}
