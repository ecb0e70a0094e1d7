// What may be typed after `bulkhead audit report`. In a file of its own because main.ts is full.

import type { Command } from 'commander'
import type { Common, Wiring } from './wiring.ts'

interface ReportOptions extends Common {
  readonly run?: string
  readonly since?: string
  readonly until?: string
  readonly file?: string
  readonly key?: string
}

export function addAuditReport(audit: Command, { common, examples, perform }: Wiring): void {
  examples(
    common(audit.command('report')),
    'audit report --since 7d',
    'audit report --run <request id> --json',
    'audit report --since 2026-01-01 --until 2026-02-01',
    'audit report --file audit.jsonl --key audit-key.json   (an export, anywhere)',
  )
    .description('what was checked, what was found wrong, and what to do about it')
    .option('--run <request>', 'of one run')
    .option('--since <time>', 'from a date on, or of the last 90s, 15m, 2h, 7d')
    .option('--until <time>', 'up to then, written as --since')
    .option('--file <export>', 'an export instead of the state folder')
    .option('--key <file>', "with --file: the audit's public key")
    .addHelpText(
      'after',
      '\nExit code 1: a violation needs a person, or the audit does not verify.',
    )
    .action((options: ReportOptions) =>
      perform(options, async (output, state) =>
        (await import('./commands/audit-report.ts')).auditReportCommand(output, state, options),
      ),
    )
}
