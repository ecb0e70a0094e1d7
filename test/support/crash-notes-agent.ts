// The notes agent as it is shipped, which a test can stop at its points: bundled by the crash tests
// and run in a real sandbox. The gate lies in the ledger's folder, the agent's own writable volume.

import { agent } from '../../agents/notes/agent.ts'
import { runAgent } from '../../agents/sandbox-main.ts'
import { stopAt } from './crash-gate.ts'

await runAgent(agent, { onPoint: (point) => stopAt('/ledger', point) })
