// For `doctor`: the key with which the owner signs approvals, made by the first start.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readApprover } from './household.ts'
import { stateLayout } from './state.ts'

/** @throws SupervisorError when it is missing or damaged */
export function checkApprover(state: string): string {
  const layout = stateLayout(state)
  if (!existsSync(layout.deploymentId)) return 'made by the first start'
  readApprover(join(layout.cli, 'approver.jwk.json'))
  return 'there'
}
