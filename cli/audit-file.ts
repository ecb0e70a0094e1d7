// An export of the audit as a file: rows, then checkpoints, one JSON document a line. Verified with
// nothing but the public audit key, on any machine. The file is a stranger's: every line is parsed,
// none is believed. Nothing that only a state folder knows (witnesses, ledgers) can be compared.

import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import {
  type AuditRow,
  auditRowSchema,
  type Checkpoint,
  checkpointSchema,
} from '../notary/contract.ts'
import { CommandError, exitCodes } from './exit-codes.ts'

const checkpointLine = z.strictObject({ checkpoint: checkpointSchema })

/** @throws CommandError naming the line that is neither row nor checkpoint */
export async function* readExportedRows(file: string): AsyncIterable<AuditRow> {
  for await (const document of readLines(file)) {
    if ('row' in document) yield document.row
  }
}

/** @throws CommandError as readExportedRows */
export async function readExportedCheckpoints(file: string): Promise<readonly Checkpoint[]> {
  const found: Checkpoint[] = []
  for await (const document of readLines(file)) {
    if ('checkpoint' in document) found.push(document.checkpoint)
  }
  return found
}

type Line = { readonly row: AuditRow } | { readonly checkpoint: Checkpoint }

async function* readLines(file: string): AsyncIterable<Line> {
  let number = 0
  try {
    for await (const text of createInterface({ input: createReadStream(file), crlfDelay: 1 })) {
      number += 1
      if (text !== '') yield parseLine(text, `${file}, line ${number}`)
    }
  } catch (cause) {
    if (cause instanceof CommandError) throw cause
    throw unreadable(file, cause)
  }
}

function parseLine(text: string, where: string): Line {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    throw unreadable(where, cause)
  }
  const row = auditRowSchema.safeParse(document)
  if (row.success) return { row: row.data }
  const checkpoint = checkpointLine.safeParse(document)
  if (checkpoint.success) return checkpoint.data
  throw unreadable(where, checkpoint.error)
}

/** The public key that the exporter handed over apart from the file. @throws CommandError */
export function readPublicKey(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new CommandError(`${file} cannot be read as a public key`, {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead audit verify --file <export> --key <state>/public/audit-key.json',
      cause,
    })
  }
}

function unreadable(where: string, cause: unknown): CommandError {
  return new CommandError(`${where}: this is neither a row nor a checkpoint of an export`, {
    exitCode: exitCodes.failed,
    next: 'npx bulkhead audit export > audit.jsonl',
    cause,
  })
}
