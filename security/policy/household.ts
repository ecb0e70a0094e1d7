// A household's own rules: a folder of Rego with `package household`, which may define the sets `ask` and
// `deny`. Compiled together with household/answer.rego into a module of its own, which can add to what
// the default rules refuse and ask about, and can take nothing away from it.

import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuiltPolicy, buildPolicy, runOpa } from './build.ts'
import { householdEntrypoint } from './policy-file.ts'

const answerFile = join(import.meta.dirname, 'household', 'answer.rego')
/** Beside the rules while they are compiled; a household's own file of that name is not read. */
const answerName = 'bulkhead-answer.rego'

/** @throws BuildError with what OPA says against the rules */
export async function buildHousehold(opa: string, folder: string): Promise<BuiltPolicy> {
  const work = mkdtempSync(join(tmpdir(), 'bulkhead-household-'))
  try {
    for (const name of sourcesOf(folder)) cpSync(join(folder, name), join(work, name))
    cpSync(answerFile, join(work, answerName))
    await runOpa(opa, ['check', '--strict', '.'], { folder: work })
    return await buildPolicy(opa, { folder: work, entrypoint: householdEntrypoint })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Names a folder's rules: the same sources are compiled once on a machine. */
export function digestOfSources(folder: string): string {
  const hash = createHash('sha256').update(readFileSync(answerFile))
  for (const name of sourcesOf(folder)) {
    hash.update(`${name}\n`).update(
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest(),
    )
  }
  return hash.digest('base64url')
}

/** Rules, their tests and their data, wherever they lie in the folder; relative to it. */
export function sourcesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:rego|json|ya?ml)$/.test(name) && name !== answerName)
    .sort()
}
