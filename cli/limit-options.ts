// `--deadline` and `--max-usd` of whatever starts runs; read-limits.ts reads what is typed after them.

import { type Command, Option } from 'commander'

export interface LimitWords {
  readonly deadline?: string | undefined
  readonly maxUsd?: string | undefined
}

export function withLimits(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--deadline <time>',
        'no step begins after it: 90s, 15m, 2h, 7d, 18:00 or 2026-01-31T18:00',
      ),
    )
    .addOption(
      new Option(
        '--max-usd <amount>',
        'what its models, and payments in dollars, may come to together',
      ),
    )
}
