// Calls of every action of the template agent, for `bulkhead agent check`.

import type { AgentExamples } from '../check/examples-contract.ts'
import { dataAt } from './manifest.ts'

const added = [{ action: 'add', args: { text: 'first' } }] as const

export const examples: AgentExamples = {
  worlds: [
    {
      name: 'folder',
      now: '2026-11-21T08:00:00Z',
      folders: { [dataAt]: {} },
      calls: {
        add: [{ args: { text: 'first' } }, { before: added, args: { text: 'second' } }],
        remove: [{ before: added, args: (earlier) => ({ id: earlier[0]?.idem }) }],
        list: [{ args: {} }, { before: added, args: { limit: 1 } }],
      },
    },
    {
      name: 'edited file',
      now: '2026-11-21T08:00:00Z',
      folders: { [dataAt]: { 'items.json': '{"not": "a list"}' } },
      calls: { list: [{ args: {}, fails: 'CORRUPT_DATA' }] },
    },
  ],
}
