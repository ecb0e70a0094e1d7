// An export of an audit that tells what a test wants told: sealed, chained and signed as the notary would,
// with the rows of one good run to build on.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { auditReportCommand, type ReportChoice } from '../../cli/commands/audit-report.ts'
import type { Output } from '../../cli/output.ts'
import { type ComplianceReport, reportSchema } from '../../cli/report-contract.ts'
import { signCheckpoint } from '../../security/audit/checkpoint.ts'
import {
  type AuditEntry,
  type AuditRow,
  genesisHash,
  sealRow,
} from '../../security/audit/format.ts'
import { appendLeaf, emptyTree, treeRoot } from '../../security/audit/tree.ts'
import { auditKey, sign } from '../security/audit-log.ts'

export type Told = Partial<Omit<AuditEntry, 'body'>> & { readonly body?: Record<string, unknown> }

export const begin = Date.parse('2026-01-01T00:00:00Z')
const minute = 60_000

/** Rows a minute apart, of the run `r-1` and its step `write` where nothing else is said. */
export function sealAll(told: readonly Told[]): AuditRow[] {
  const rows: AuditRow[] = []
  for (const [index, entry] of told.entries()) {
    const place = { at: begin + index * minute, correlation: 'r-1', subject: 'write', trace: '' }
    const sealed = { ...place, kind: 'decision', actor: 'worker', ...entry } as const
    rows.push(
      sealRow(
        { ...sealed, body: (entry.body ?? {}) as AuditEntry['body'] },
        {
          seq: index + 1,
          prev: rows.at(-1)?.leaf ?? genesisHash,
        },
      ),
    )
  }
  return rows
}

const hash = 'h'.repeat(43)

/** One effect from its intent to its end. */
export function effect(
  ended: Record<string, unknown> = {},
  { run = 'r-1', step = 'write', idem = 'i'.repeat(43), kind = 'do' } = {},
): readonly Told[] {
  const about = { correlation: run, subject: step }
  const agent = 'notes.0'
  return [
    {
      ...{ kind: 'intent', actor: 'user:owner', ...about },
      body: { idem, kind, action: 'notes.append', agent, rules: ['write.undoable'] },
    },
    {
      ...{ kind: 'mint', actor: 'user:owner', ...about },
      body: { idem, jti: 'j'.repeat(22), attempt: 1, agent, expiresAt: 0 },
    },
    {
      ...{ kind: 'outcome', actor: `agent:${agent}`, ...about },
      body: {
        ...{ idem, kind, outcome: 'settled', code: null, resultHash: hash },
        ...{ receipt: hash, attempts: 1, ...ended },
      },
    },
  ]
}

export function admitted(run = 'r-1'): readonly Told[] {
  const about = { kind: 'plan', correlation: run, subject: run } as const
  return [
    { ...about, actor: 'user:owner', body: { event: 'registered', digest: hash, steps: 1 } },
    { ...about, body: { event: 'admitted', digest: hash } },
  ]
}

export const goodRun: readonly Told[] = [...admitted(), ...effect()]

export interface Reported {
  readonly code: number
  readonly report: ComplianceReport
  readonly lines: readonly string[]
}

/** The report on an export of these rows, by the command itself. */
export async function reportOn(
  rows: readonly AuditRow[],
  choice: ReportChoice = {},
): Promise<Reported> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-report-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const tree = rows.reduce((grown, { leaf }) => appendLeaf(grown, leaf), emptyTree())
  const head = { size: rows.length, root: treeRoot(tree), at: begin }
  const checkpoint = await signCheckpoint(head, sign)
  const file = join(folder, 'audit.jsonl')
  const key = join(folder, 'audit-key.json')
  writeFileSync(file, [...rows, { checkpoint }].map((line) => JSON.stringify(line)).join('\n'))
  writeFileSync(key, JSON.stringify(auditKey))
  const { output, shown } = listen()
  const code = await auditReportCommand(output, folder, { file, key, ...choice })
  return { code, ...shown() }
}

function listen() {
  let document: unknown
  let lines: readonly string[] = []
  const unasked = () => {
    throw new Error('the report is one document')
  }
  const output: Output = {
    json: true,
    data(told, human) {
      document = told
      lines = human()
    },
    ...{ rows: unasked, line: unasked, problem: unasked, talk: () => undefined },
  }
  // What is printed is the JSON of it.
  const shown = () => ({
    report: reportSchema.parse(JSON.parse(JSON.stringify(document))),
    lines,
  })
  return { output, shown }
}
