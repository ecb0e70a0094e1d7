// What may be typed after `bulkhead memory`.

import { type Command, Option } from 'commander'
import type { MemoryDeps } from './commands/memory.ts'
import { toCount } from './count-option.ts'
import type { Common, Wiring } from './wiring.ts'

/** As the agent's manifest has them; a test compares. */
const kinds = ['fact', 'preference', 'episode'] as const

const kindsOption = () => new Option('--kind <kind...>', 'of these kinds only').choices([...kinds])

interface Chosen extends Common {
  readonly kind?: readonly string[]
  readonly limit: number
  readonly after?: string
}

interface Said extends Common {
  readonly kind: string
  readonly source?: string
  readonly expires?: string
  readonly dryRun?: boolean
}

async function depsFor(state: string): Promise<MemoryDeps> {
  const { findDeployment, openSession } = await import('./session.ts')
  const { readKnownNames } = await import('./names.ts')
  const { readPolicy } = await import('./policy.ts')
  const { decide } = await readPolicy(state)
  const embeddings = findDeployment(state)?.embeddings
  return { open: () => openSession(state), names: readKnownNames(state), decide, embeddings }
}

const given = (options: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

export function addMemory(program: Command, wiring: Wiring): void {
  const memory = program.command('memory').description('what is kept in mind for you')
  addReads(memory, wiring)
  addWrites(memory, wiring)
}

function addReads(memory: Command, { common, examples, perform }: Wiring): void {
  examples(common(memory.command('list')), 'memory list', 'memory list --kind preference --json')
    .description('all of it, the newest first')
    .addOption(kindsOption())
    .option('--limit <count>', 'at most so many', toCount(100), 20)
    .option('--after <mark>', 'the page after this one, as the page before says')
    .action(({ kind: kinds, limit, after, ...options }: Chosen) =>
      perform(options, async (output, state) => {
        const { memoryCommand, listLines } = await import('./commands/memory.ts')
        const args = given({ kinds, limit, after })
        const asked = { action: 'list', args, lines: listLines } as const
        return memoryCommand(await depsFor(state), output, asked)
      }),
    )
  examples(
    common(memory.command('search <words...>')),
    'memory search tea without milk',
    'memory search zur --kind episode   (the beginning of a word will do)',
  )
    .description('what has these words, or means the same, the best match first')
    .addOption(kindsOption())
    .option('--limit <count>', 'at most so many', toCount(50), 10)
    .action((words: readonly string[], { kind: kinds, limit, ...options }: Chosen) =>
      perform(options, async (output, state) => {
        const { memoryCommand, foundLines } = await import('./commands/memory.ts')
        const args = given({ query: words.join(' '), kinds, limit })
        const deps = await depsFor(state)
        const lines = (found: Parameters<typeof foundLines>[0]) =>
          foundLines(found, deps.embeddings)
        return memoryCommand(deps, output, { action: 'recall', args, lines })
      }),
    )
  examples(common(memory.command('show <id>')), 'memory show 0123456789abcdef')
    .description('one entry, whole')
    .action((id: string, options: Common) =>
      perform(options, async (output, state) => {
        const { memoryCommand, requireId, shownLines } = await import('./commands/memory.ts')
        const asked = { action: 'show', args: { id: requireId(id) }, lines: shownLines } as const
        return memoryCommand(await depsFor(state), output, asked)
      }),
    )
}

function addWrites(memory: Command, { common, examples, perform }: Wiring): void {
  examples(
    common(memory.command('remember <text>')),
    'memory remember "Bob does not eat nuts."',
    'memory remember "Trains rather than planes." --kind preference',
    'memory remember "The guests sleep in the attic." --expires 2027-01-31 --source Anna',
  )
    .description('one more thing to keep in mind')
    .addOption(new Option('--kind <kind>', 'what it is').choices([...kinds]).default('fact'))
    .option('--source <words>', 'where it is from')
    .option('--expires <date>', 'a date, to its end, or an instant such as 2027-01-31T12:00:00Z')
    .option('--dry-run', 'only show what would be kept')
    .action((text: string, { kind, source, expires, dryRun, ...options }: Said) =>
      perform(options, async (output, state) => {
        const { memoryCommand, rememberedLines } = await import('./commands/memory.ts')
        // It is the person who types.
        const args = given({ text, kind, source, expires, dryRun, label: 'USER' })
        const asked = { action: 'remember', args, lines: rememberedLines } as const
        return memoryCommand(await depsFor(state), output, asked)
      }),
    )
  examples(common(memory.command('forget <id>')), 'memory forget 0123456789abcdef')
    .description('forget one entry for good: its key is destroyed. You are asked once')
    .action((id: string, options: Common) =>
      perform(options, async (output, state) => {
        const { forgottenLines, memoryCommand, requireId } = await import('./commands/memory.ts')
        const args = { id: requireId(id) }
        const asked = { action: 'forget', args, lines: forgottenLines } as const
        return memoryCommand(await depsFor(state), output, asked)
      }),
    )
}
