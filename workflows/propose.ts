// From words to an admitted plan: ask the planner, compile what it proposes, and where that is wrong tell
// it once what and where. One function of injected ports with no Temporal import. Invariant: a planner is
// asked at most twice, and after a proposal may run it is never asked again, however long a person takes
// to decide on it.

import type { CompileOutcome, RequestInput } from './contract.ts'
import type {
  Answered,
  ProposalIssue,
  ProposeActivities,
  ProposeInput,
  Said,
} from './propose-contract.ts'

/** One is told what was wrong with its first; a planner that fails twice is not asked for ever. */
const maxProposals = 2

export interface ProposePorts extends Pick<ProposeActivities, 'compileProposal'> {
  proposePlan(input: ProposeInput): Promise<Said>
}

/** What `untilAdmitted` asks for, again and again while a person decides. */
export function createProposing(
  input: RequestInput,
  { proposePlan, compileProposal }: ProposePorts,
): () => Promise<CompileOutcome | Answered> {
  const { requestId, requestRef } = input
  let sound: string | undefined
  return async () => {
    if (sound !== undefined) return settled(await compileProposal({ ...input, proposalRef: sound }))
    let previous: { proposalRef: string; issues: readonly ProposalIssue[] } | undefined
    for (let asked = 1; ; asked += 1) {
      const told = previous === undefined ? {} : { previous }
      const proposed = await proposePlan({ requestId, requestRef, ...told })
      if (proposed.status === 'ANSWERED') return proposed
      const { proposalRef } = proposed
      const compiled = await compileProposal({ ...input, proposalRef })
      if (compiled.status !== 'ISSUES' || asked === maxProposals) {
        sound = proposalRef
        return settled(compiled)
      }
      previous = { proposalRef, issues: compiled.issues }
    }
  }
}

type Compiled = Awaited<ReturnType<ProposeActivities['compileProposal']>>

/** What is still wrong with the last proposal is what the run ends with. */
function settled(compiled: Compiled): CompileOutcome {
  if (compiled.status !== 'ISSUES') return compiled
  const code = compiled.issues[0]?.code ?? 'INVALID_SHAPE'
  const isDenied = code === 'POLICY' || code.startsWith('FLOW')
  return { status: isDenied ? 'DENIED' : 'INVALID', code }
}
