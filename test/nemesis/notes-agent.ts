// The notes agent as it is shipped, with a clock that the nemesis moves. The file lies in the ledger's
// folder, the agent's own writable volume.

import { agent } from '../../agents/notes/agent.ts'
import { runAgent } from '../../agents/sandbox-main.ts'
import { followClock } from './clock.ts'

followClock('/ledger/clock')
await runAgent(agent)
