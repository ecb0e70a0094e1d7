// The test agent as a program: bundled as every agent is, run below the folder that its argument
// names. Only this entry, and no environment variable, can say where it should be killed, and only a gate
// in that folder where it should be stopped.

import { agentPaths } from '../../../agents/agent-config.ts'
import { runAgent } from '../../../agents/sandbox-main.ts'
import { stopAt } from '../crash-gate.ts'
import { agent } from './agent.ts'

const [, , root = '', killAt] = process.argv
await runAgent(agent, {
  paths: agentPaths(root),
  onPoint: async (point) => {
    if (point === killAt) process.kill(process.pid, 'SIGKILL')
    await stopAt(root, point)
  },
})
