// The backup agent: only binds the actions to the manifest.

import { defineAgent } from '../define-agent.ts'
import { createProgramRunner } from '../run-program.ts'
import { diff } from './diff.ts'
import { manifest } from './manifest.ts'
import { restoreTest } from './restore-test.ts'
import { status } from './status.ts'
import { trend } from './trend.ts'
import { verify } from './verify.ts'

export const agent = defineAgent(
  manifest,
  {
    status,
    verify,
    restore_test: restoreTest,
    diff,
    trend,
  },
  createProgramRunner,
)
