// Calls of every action of the screen time, for `bulkhead agent check`: answered by the sample home's
// server, with a person's own categories; and of a Mac whose database is not there.

import { answerScreentime } from '../../examples/home/screentime.ts'
import type { AgentExamples } from '../check/examples-contract.ts'
import { sampleServers } from '../check/sample-servers.ts'
import { folderAt } from './manifest.ts'

const now = '2026-11-21T08:00:00Z'
const date = '2026-11-20'
const limits = [
  { key: 'Video', minutes: 30 },
  { by: 'app', key: 'code', minutes: 240 },
]

export const examples: AgentExamples = {
  worlds: [
    {
      name: 'ActivityWatch',
      now,
      folders: {
        [folderAt]: { timezone: 'Europe/Vienna\n', 'categories.yaml': 'Play: [steam]\n' },
      },
      origins: { activitywatch: ['http://127.0.0.1:5600'] },
      servers: sampleServers(answerScreentime, now),
      calls: {
        top: [
          { args: { from: date } },
          { args: { from: '2026-11-14', to: date, by: 'domain' } },
          { args: { from: date, to: '2026-11-14' }, fails: 'INVALID_INPUT' },
        ],
        focus: [{ args: { from: '2026-11-20T09:00', to: '2026-11-20T17:00' } }],
        compare: [{ args: { a: { from: '2026-11-12' }, b: { from: date }, by: 'category' } }],
        timeline: [{ args: { date } }, { args: { date, titles: true, limit: 5 } }],
        rules_check: [{ args: { date, limits } }],
      },
    },
    {
      name: 'macOS without its database',
      now,
      folders: { [folderAt]: {} },
      origins: { activitywatch: ['http://127.0.0.1:5600'] },
      servers: sampleServers(answerScreentime, now),
      calls: { top: [{ args: { source: 'macos', from: date }, fails: 'NOT_FOUND' }] },
    },
  ],
}
