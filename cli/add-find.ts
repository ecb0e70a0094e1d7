// What may be typed after `bulkhead find`.

import { type Command, Option } from 'commander'
import { toCount } from './count-option.ts'
import type { Common, Wiring } from './wiring.ts'

/** As the retriever has them; a test compares. */
const sources = ['memory', 'history', 'configuration'] as const

interface Chosen extends Common {
  readonly in?: readonly (typeof sources)[number][]
  readonly limit: number
}

export function addFind(program: Command, { common, examples, perform }: Wiring): void {
  examples(
    common(program.command('find <words...>')),
    'find dentist',
    'find "tea without milk" --in memory',
    'find briefing --in history configuration --json',
  )
    .description('what you had kept in mind, what was answered before, and what is set up')
    .addOption(new Option('--in <source...>', 'only there').choices([...sources]))
    .option('--limit <count>', 'of each source at most so many', toCount(50), 5)
    .action((words: readonly string[], { in: chosen, limit, ...options }: Chosen) =>
      perform(options, async (output, state) => {
        const { openSession } = await import('./session.ts')
        const { readKnownNames } = await import('./names.ts')
        const { readPolicy } = await import('./policy.ts')
        const { findCommand } = await import('./commands/find.ts')
        const { decide } = await readPolicy(state)
        const asked = { query: words.join(' '), sources: [...new Set(chosen ?? sources)], limit }
        const memory = { names: readKnownNames(state), decide }
        return findCommand(() => openSession(state), output, { ...asked, ...memory })
      }),
    )
}
