// Calls of every action of memory, for `bulkhead agent check`.

import type { AgentExamples, SeenWorld } from '../check/examples-contract.ts'
import { memoryAt } from './manifest.ts'

const tea = { kind: 'preference', text: 'Anna takes her tea without milk.', source: 'Anna' }
const trip = { kind: 'episode', text: 'In May we went to Zürich by train.', expires: '2027-05-31' }
/** 1 and 0, as 32-bit floats. */
const embedding = { model: 'nomic-embed-text', vector: 'AACAPwAAAAA=' }
const remembered = [
  { action: 'remember', args: tea },
  { action: 'remember', args: trip },
] as const

const idIn = (result: unknown): unknown =>
  typeof result === 'object' && result !== null && 'id' in result ? result.id : undefined

/** Which entries there are. Keys that are used up, and what the files are made of, differ. */
function entriesIn({ files }: SeenWorld): unknown {
  return [...files].flatMap(([path, bytes]) => {
    if (path.startsWith(`${memoryAt}/keys.db`)) return []
    if (!path.startsWith(`${memoryAt}/memory.db`)) return [path, bytes.toString('latin1')]
    const ids = bytes.toString('latin1').match(/[0-9a-f]{16}(?![0-9a-f-])/g) ?? []
    return [...new Set(ids)].sort((one, other) => (one < other ? -1 : 1))
  })
}

export const examples: AgentExamples = {
  worlds: [
    {
      name: 'folder',
      now: '2026-11-21T08:00:00Z',
      folders: { [memoryAt]: { timezone: 'Europe/Vienna\n' } },
      restored: entriesIn,
      calls: {
        remember: [
          { args: tea },
          {
            args: { text: 'The boiler is serviced in autumn.', label: 'USER' },
            before: remembered,
          },
          { args: { ...trip, expires: '2026-11-21T09:30:00+01:00' } },
          { args: { ...trip, expires: '2026-11-20' }, fails: 'INVALID_INPUT' },
          { args: { ...tea, embedding } },
          { args: { ...tea, embedding: { ...embedding, vector: null } } },
          { args: { ...tea, embedding: { ...embedding, vector: 'AAAA' } }, fails: 'INVALID_INPUT' },
        ],
        retract: [{ before: remembered, args: (earlier) => ({ entry: earlier[0]?.idem }) }],
        forget: [
          { before: remembered, args: (earlier) => ({ id: idIn(earlier[0]?.result) }) },
          { args: { id: '0123456789abcdef' }, fails: 'NOT_FOUND' },
        ],
        recall: [
          { before: remembered, args: { query: 'how does anna take TEA?' } },
          { before: remembered, args: { query: 'zurich OR "', kinds: ['episode'] } },
          { args: { query: '***' } },
          {
            before: [{ action: 'remember', args: { ...tea, embedding } }],
            args: { query: 'what to drink', embedding },
          },
          {
            args: { query: 'x', embedding: { ...embedding, vector: '!' } },
            fails: 'INVALID_INPUT',
          },
        ],
        list: [{ before: remembered, args: {} }, { args: { kinds: ['fact'], after: '7' } }],
        show: [
          { before: remembered, args: (earlier) => ({ id: idIn(earlier[1]?.result) }) },
          { args: { id: '0123456789abcdef' }, fails: 'NOT_FOUND' },
        ],
      },
    },
  ],
}
