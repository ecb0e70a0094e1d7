// What words may go on with: earlier turns of the same person, and handles of what came of them. An entry
// point says which; whether each result is there and theirs is found out here, at the registration, and again
// whenever a model is told of it. What may be told to whom, plan/told.ts says.

import { goalOf } from '../plan/compile-proposal.ts'
import { holdsSecret } from '../plan/flow-secrets.ts'
import type { Issue } from '../plan/issues.ts'
import { limits } from '../plan/limits.ts'
import { owner } from '../plan/principals.ts'
import type { ToldTurn } from '../plan/told.ts'
import type { NotaryContext } from './context.ts'
import type { AdmitReply, RequestCall } from './contract.ts'
import type { Context, ToldCall } from './handle-contract.ts'
import { handlesOf, pinned } from './handles.ts'
import type { RequestRecord, State } from './state.ts'

type ToldPorts = Pick<NotaryContext, 'catalogue' | 'names' | 'plans'>

/** Why words cannot be registered with this context; none where there is none. */
export function faultsOfContext(
  context: ToldPorts,
  state: State,
  { call: { kind, context: given }, user }: { readonly call: RequestCall; readonly user: string },
): readonly Issue[] {
  if (given === undefined) return []
  if (kind !== 'text') {
    const message = 'a plan says by itself what it builds on'
    return [{ code: 'INVALID_ARGUMENT', path: '/context', message }]
  }
  const lookUp = handlesOf(context, state, user)
  return given.turns.flatMap(({ words, handles }, turn): Issue[] => {
    const path = `/context/turns/${turn}`
    const unknown = handles.flatMap((handle, at): Issue[] => {
      if (lookUp(handle) !== undefined) return []
      const message = `you have no earlier result ${JSON.stringify(handle)}`
      return [{ code: 'UNKNOWN_HANDLE', path: `${path}/handles/${at}`, message }]
    })
    return [...faultsOfWords(words, `${path}/words`), ...unknown]
  })
}

function faultsOfWords(words: string, path: string): readonly Issue[] {
  if (words !== asTold(words)) {
    return [{ code: 'INVALID_SHAPE', path, message: 'earlier words are one line that can be read' }]
  }
  // They are kept, and leave for whoever runs a model.
  if (!holdsSecret(words)) return []
  return [{ code: 'FLOW_R11', path, message: 'a secret has no place in what is told' }]
}

const asTold = (words: string) => goalOf(words, limits.contextCharacters)

/** Of a request in words: what models are told of the conversation, as far as it is still there. */
export function turnsToldOf(
  context: ToldPorts,
  state: State,
  request: RequestRecord,
): readonly ToldTurn[] {
  const lookUp = handlesOf(context, state, request.user)
  return state.turnsBefore(request.id).map((turn) => ({
    words: turn.words,
    readers: wasForModels(turn, state, request) ? 'PUBLIC' : [owner],
    handles: pinned(turn.handles, lookUp),
  }))
}

/**
 * Words that the same person has registered for a planner were for whichever models are set up. What was
 * understood without one was for nobody outside.
 */
function wasForModels(
  { words, request: id }: Context['turns'][number],
  state: State,
  { user }: RequestRecord,
): boolean {
  const earlier = id === undefined ? undefined : state.request(id)
  if (earlier === undefined || earlier.words === null || earlier.user !== user) return false
  return asTold(earlier.words) === words
}

/** What the worker makes the same consultation of. */
export function tellTurns(
  context: ToldPorts & Pick<NotaryContext, 'store'>,
  { requestId }: ToldCall,
): AdmitReply {
  const { state } = context.store
  const request = state.request(requestId)
  const turns = request === undefined ? [] : turnsToldOf(context, state, request)
  return { status: 'TOLD', turns: structuredClone(turns) as ToldTurns }
}

type ToldTurns = Extract<AdmitReply, { readonly status: 'TOLD' }>['turns']
