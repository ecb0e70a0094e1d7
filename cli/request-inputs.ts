// `--input key=value`, as often as wanted. Values stay text; the compiler reads them as the
// declared type wants.

import type { InputValues } from '../plan/schema.ts'
import { CommandError, exitCodes } from './exit-codes.ts'

/** @throws CommandError on a missing `=` or a name given twice */
export function readInputs(pairs: readonly string[]): InputValues {
  const inputs = new Map<string, string>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const name = pair.slice(0, at)
    if (at < 1 || !/^[a-z][A-Za-z0-9]{0,39}$/.test(name) || inputs.has(name)) {
      throw new CommandError(`--input ${pair} is not name=value, or names an input twice`, {
        exitCode: exitCodes.usage,
        next: 'npx bulkhead run morning-briefing --input day=2026-01-31',
      })
    }
    inputs.set(name, pair.slice(at + 1))
  }
  return Object.fromEntries(inputs)
}
