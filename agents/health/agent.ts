// The health agent: a database of its own in one folder, files of the person's in another, which it only
// reads. import.ts takes measurements in, reading.ts and anomalies.ts answer from them; this file only
// binds them to the manifest.

import { defineAgent } from '../define-agent.ts'
import { anomalies } from './anomalies.ts'
import { importData, revert } from './import.ts'
import { manifest } from './manifest.ts'
import { sleep, summary, trend, workouts } from './reading.ts'

export const agent = defineAgent(manifest, {
  import: importData,
  revert,
  summary,
  trend,
  sleep,
  workouts,
  anomalies,
})
