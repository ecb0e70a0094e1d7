// Calls of every action of notes, for `bulkhead agent check`.

import type { AgentExamples } from '../check/examples-contract.ts'
import { notesAt } from './manifest.ts'

const append = { note: 'diary', text: 'Walked to the lake.' }

export const examples: AgentExamples = {
  worlds: [
    {
      name: 'folder',
      now: '2026-11-21T08:00:00Z',
      folders: {
        [notesAt]: {
          'diary.md': '# Diary\n\nRain, and a book.\n',
          // The line ends of another system, and no line end at the end.
          'shopping list.md': '- milk\r\n- bread',
        },
      },
      calls: {
        append: [{ args: append }, { args: { note: 'new', text: 'First.' } }],
        retract: [
          {
            before: [{ action: 'append', args: append }],
            args: (earlier) => ({ note: 'diary', entry: earlier[0]?.idem }),
          },
        ],
        read: [
          { args: { note: 'diary' } },
          { args: { note: 'shopping list', maxBytes: 3 } },
          { args: { note: 'nowhere' }, fails: 'NOT_FOUND' },
        ],
        search: [{ args: { query: 'rain' } }],
        list: [{ args: {} }],
      },
    },
  ],
}
