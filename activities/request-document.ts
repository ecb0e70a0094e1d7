// What an entry point stores with `worker.artifact.put` before it registers a request: the bytes the
// person gave, as the notary gets them too. A file of its own, so that entry points can import the
// shape without the compiler.

import { requestCall } from '../notary/contract.ts'

export const requestDocumentSchema = requestCall.pick({
  kind: true,
  name: true,
  source: true,
  inputs: true,
})

/** Whose document that of a schedule is: one for all of its firings, stored when it is enabled. */
export function standingOf(schedule: string): string {
  return `standing:${schedule}`
}
