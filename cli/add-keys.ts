// What may be typed after `bulkhead keys`. In a file of its own because main.ts is full; the wiring
// that every command shares comes from there.

import { type Command, InvalidArgumentError } from 'commander'
import type { Common, Wiring } from './wiring.ts'

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000 } as const

/** `90s`, `2m`, `1h`; how short it may be is the supervisor's to say. */
export function toMilliseconds(text: string): number {
  const [, count, unit] = /^(\d{1,6})(s|m|h)$/.exec(text) ?? []
  if (count === undefined || (unit !== 's' && unit !== 'm' && unit !== 'h')) {
    throw new InvalidArgumentError('a time such as 60s, 2m or 1h is wanted')
  }
  return Number(count) * unitMs[unit]
}

export function addKeys(program: Command, { common, examples, perform }: Wiring): void {
  const keys = program.command('keys').description('the keys of a deployment, and replacing them')
  examples(common(keys.command('list')), 'keys list', 'keys list --json')
    .description('every key by its public name, what it is good for, and since when')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/keys.ts')).keysListCommand(output, state),
      ),
    )
  examples(
    common(keys.command('rotate <kind>')),
    'keys rotate token',
    'keys rotate certificates --overlap 2m',
    'keys rotate all   (token, audit, certificates, nkeys, payload, one after the other)',
  )
    .description('replace the keys of one kind while everything runs, and wait for the end')
    .option(
      '--overlap <time>',
      'how long the old ones are still accepted (default: 60s)',
      toMilliseconds,
    )
    .action((kind: string, options: Common & { overlap?: number }) =>
      perform(options, async (output, state) =>
        (await import('./commands/keys.ts')).keysRotateCommand(output, state, kind, {
          overlapMs: options.overlap,
        }),
      ),
    )
}
