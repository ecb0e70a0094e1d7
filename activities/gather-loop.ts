// Puts together what the iterations of a loop returned: one document, the list of their results, under
// the hash that the notary has for it. The notary says which rerun of each counts; what its hash does
// not name is not taken.

import { isOutage } from '../notary/codes.ts'
import type { SettleReply } from '../notary/contract.ts'
import { limits } from '../plan/limits.ts'
import type { LoopActivities } from '../workflows/contract.ts'
import type { DispatchDeps } from './dispatch-deps.ts'
import { AttemptFailure } from './failure.ts'

type GatherDeps = Pick<DispatchDeps, 'artifacts' | 'plans' | 'notary' | 'now'>
type GatherInput = Parameters<LoopActivities['gatherLoop']>[0]
type Gathered = Awaited<ReturnType<LoopActivities['gatherLoop']>>
type Results = Extract<SettleReply, { status: 'GATHERED' }>['results']

/** Files read side by side: enough to keep a disk busy. */
const sideBySide = 32

/** @throws AttemptFailure NOTARY_UNAVAILABLE, ArtifactError */
export async function gatherLoop(input: GatherInput, deps: GatherDeps): Promise<Gathered> {
  const { requestId, digest: planDigest, step } = input
  const { readers } = await deps.plans.load(input)
  const address = { requestId, planDigest, kind: 'do', step, iteration: 0 } as const
  const answer = await deps.notary.settle({ type: 'gather', ...address })
  if (answer.status === 'REFUSED' && !isOutage(answer.code)) return none(answer.code)
  if (answer.status !== 'GATHERED') throw new AttemptFailure('NOTARY_UNAVAILABLE')
  if (answer.hash === undefined) return none('NO_RESULT')
  const texts = await readResults(input, answer.results, deps)
  if (typeof texts === 'string') return none(texts)
  const resultRef = await deps.artifacts.put(Buffer.from(`[${texts.join(',')}]`), {
    kind: 'loop-result',
    requestId,
    step,
    readers: [...readers],
    resultHash: answer.hash,
    createdAt: deps.now(),
  })
  return { resultRef }
}

async function readResults(
  { requestId, step }: GatherInput,
  results: Results,
  { artifacts }: GatherDeps,
): Promise<readonly string[] | 'LIMIT' | 'ARTIFACT_MISSING'> {
  const texts: string[] = []
  // As it travels to the notary: inside a JSON string, quotes escaped.
  let bytes = 2
  for (let from = 0; from < results.length; from += sideBySide) {
    const part = await Promise.all(
      results.slice(from, from + sideBySide).map(async ({ rerun, hash }, at) => {
        if (hash === null) return 'null'
        const one = { requestId, step, iteration: from + at, rerun, kind: 'result' } as const
        const found = (await artifacts.find(one))?.artifact
        if (found?.meta.resultHash !== hash) return undefined
        return Buffer.from(found.bytes).toString('utf8')
      }),
    )
    for (const text of part) {
      if (text === undefined) return 'ARTIFACT_MISSING'
      bytes += Buffer.byteLength(JSON.stringify(text)) + 1
      if (bytes > limits.sourceBytes) return 'LIMIT'
      texts.push(text)
    }
  }
  return texts
}

/** The iterations stand; only what builds on their results cannot go on. */
function none(code: string): Gathered {
  return { resultRef: null, code }
}
