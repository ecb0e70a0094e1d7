// The notary without its process: thirteen calls of (account, unknown payload) -> reply. Who may call is
// asked first, then the shape, then the call's own file. A store that cannot record is an answer; any
// other exception is a bug and ends the process.

import type { z } from 'zod'
import { admit } from './admit.ts'
import { type ApproveReply, approveCall } from './approval-contract.ts'
import { approve } from './approve.ts'
import { authorize } from './authorize.ts'
import { boot } from './boot.ts'
import { cancel } from './cancel.ts'
import { createCheckpointer } from './checkpointer.ts'
import type { NotaryCode } from './codes.ts'
import { admitConsultation } from './consult.ts'
import { createContext, type NotaryContext, type NotaryPorts, recordRefusal } from './context.ts'
import * as contract from './contract.ts'
import { StoreError } from './database.ts'
import { agentEvent, appendOverflow, event, type HeartbeatTaken } from './event.ts'
import { tellHandles } from './handles.ts'
import { mayCall, type NotaryCall } from './permissions.ts'
import { admitProposal } from './propose.ts'
import { quarantine, raiseFlood } from './quarantine.ts'
import {
  type QuarantineEntry,
  type QuarantineReply,
  quarantineCall,
} from './quarantine-contract.ts'
import { query } from './query.ts'
import { recover } from './recover.ts'
import { request } from './request.ts'
import { settle } from './settle.ts'
import { schedule } from './standing.ts'
import { type ScheduleReply, scheduleCall } from './standing-contract.ts'
import { tellTurns } from './told.ts'

export interface Notary {
  request(account: string, payload: unknown): Promise<contract.RequestReply>
  cancel(account: string, payload: unknown): Promise<contract.CancelReply>
  recover(account: string, payload: unknown): Promise<contract.RecoverReply>
  schedule(account: string, payload: unknown): Promise<ScheduleReply>
  approve(account: string, payload: unknown): Promise<ApproveReply>
  admit(account: string, payload: unknown): Promise<contract.AdmitReply>
  authorize(account: string, payload: unknown): Promise<contract.AuthorizeReply>
  settle(account: string, payload: unknown): Promise<contract.SettleReply>
  boot(account: string, payload: unknown): Promise<contract.BootReply>
  event(account: string, payload: unknown): Promise<contract.EventReply>
  quarantine(account: string, payload: unknown): Promise<QuarantineReply>
  query(account: string, payload: unknown): Promise<contract.QueryReply>
  head(account: string, payload: unknown): Promise<contract.HeadReply>
  /** An event of a replica, `<name>.<n>`, named by the subject that the server mapped. */
  agentEvent(replica: string, payload: unknown): Promise<contract.EventReply | HeartbeatTaken>
  /** The replicas that are shut out, as committed. */
  quarantines(): readonly QuarantineEntry[]
  /**
   * Once a second: closes windows of counted messages and keeps a checkpoint over new rows.
   * @throws StoreError
   */
  tick(): Promise<void>
}

interface Served<Call, Reply, Refused> {
  readonly schema: z.ZodType<Call>
  readonly refuse: (code: NotaryCode, message: string) => Refused
  readonly answer: (call: Call, account: string) => Promise<Reply>
}

const refuse = (code: NotaryCode, message: string) => {
  return { status: 'REFUSED', code, message } as const
}
const deny = (code: NotaryCode, message: string): contract.AuthorizeReply => {
  return { status: 'DENIED', code, rules: [], message }
}

export function createNotary(ports: NotaryPorts): Notary {
  const context = createContext(ports)
  const checkpointer = createCheckpointer(ports.store)

  const serve = createServe(ports, context, checkpointer)

  const { requestCall, cancelCall, recoverCall, admitCall, authorizeCall, settleCall } = contract
  const { bootCall, eventCall, queryCall, headCall } = contract
  return {
    request: serve('request', {
      schema: requestCall,
      refuse,
      answer: (call, account) => request(context, call, account),
    }),
    cancel: serve('cancel', {
      schema: cancelCall,
      refuse,
      answer: (call, account) => cancel(context, call, account),
    }),
    recover: serve('recover', {
      schema: recoverCall,
      refuse,
      answer: (call, account) => recover(context, call, account),
    }),
    schedule: serve('schedule', {
      schema: scheduleCall,
      refuse,
      answer: (call, account) => schedule(context, call, account),
    }),
    approve: serve('approve', {
      schema: approveCall,
      refuse,
      answer: (call, account) => approve(context, call, account),
    }),
    admit: serve('admit', {
      schema: admitCall,
      refuse,
      answer: async (call, account) => {
        if ('handles' in call) return tellHandles(context, call)
        if ('told' in call) return tellTurns(context, call)
        if ('proposal' in call) return admitProposal(context, call, account)
        if ('at' in call) return admitConsultation(context, call, account)
        return admit(context, call, account)
      },
    }),
    authorize: serve('authorize', {
      schema: authorizeCall,
      refuse: deny,
      answer: (call, account) => authorize(context, call, account),
    }),
    settle: serve('settle', {
      schema: settleCall,
      refuse,
      answer: (call, account) => settle(context, call, account),
    }),
    boot: serve('boot', {
      schema: bootCall,
      refuse,
      answer: (call, account) => boot(context, call, account),
    }),
    event: serve('event', {
      schema: eventCall,
      refuse,
      answer: (call, account) => event(context, call, account),
    }),
    quarantine: serve('quarantine', {
      schema: quarantineCall,
      refuse,
      answer: (call, account) => quarantine(context, call, account),
    }),
    query: serve('query', {
      schema: queryCall,
      refuse,
      answer: (call, account) => query(context, call, account),
    }),
    head: serve('head', {
      schema: headCall,
      refuse,
      answer: async () => ({ status: 'HEAD' as const, checkpoint: await checkpointer.head() }),
    }),
    agentEvent: (replica, payload) => storable(() => agentEvent(context, payload, replica)),
    quarantines: () => ports.store.state.quarantines(),
    tick: async () => {
      await closeWindows(context)
      await checkpointer.head()
    },
  }
}

/** Who may call, then the shape, then the call's own file; around it the points of crash tests. */
function createServe(
  ports: NotaryPorts,
  context: NotaryContext,
  checkpointer: ReturnType<typeof createCheckpointer>,
) {
  return <Call, Reply, Refused>(name: NotaryCall, served: Served<Call, Reply, Refused>) =>
    async (account: string, payload: unknown): Promise<Reply | Refused> => {
      try {
        const proven = mayCall(name, account, context.users)
          ? served.schema.safeParse(payload)
          : undefined
        if (proven?.success !== true) {
          const code = proven === undefined ? 'NOT_PERMITTED' : 'MALFORMED'
          await noteUnserved(context, { call: name, account, code })
          return served.refuse(code, messages[code])
        }
        await ports.onPoint?.(`before-${name}`, proven.data)
        const reply = await served.answer(proven.data, account)
        await ports.onPoint?.(`after-${name}`, proven.data)
        // Not awaited: who called has no use for it. The next tick reports what goes wrong.
        if (checkpointer.isDue()) void checkpointer.head().catch(() => undefined)
        return reply
      } catch (error) {
        if (error instanceof StoreError) return served.refuse(error.code, error.message)
        throw error
      }
    }
}

async function storable<Reply>(answer: () => Promise<Reply>) {
  try {
    return await answer()
  } catch (error) {
    if (error instanceof StoreError) return refuse(error.code, error.message)
    throw error
  }
}

const messages = {
  NOT_PERMITTED: 'this account may not make this call',
  MALFORMED: 'the payload does not fit the call',
} as const

async function noteUnserved(
  context: NotaryContext,
  { call, account, code }: { call: string; account: string; code: keyof typeof messages },
): Promise<void> {
  const about = { call, account, subject: call, correlation: '' }
  await context.store.commit('fact', (writer) => {
    recordRefusal(context, writer, { ...about, code, message: messages[code] })
  })
}

async function closeWindows(context: NotaryContext): Promise<void> {
  const now = context.clock.now()
  const events = context.events.closed(now)
  const refusals = context.refusals.closed(now)
  if (events.length + refusals.length === 0) return
  await context.store.commit('fact', (writer) => {
    for (const overflow of events) {
      appendOverflow(writer, 'events', overflow)
      raiseFlood(context, writer, overflow)
    }
    for (const overflow of refusals) appendOverflow(writer, 'refusals', overflow)
  })
}
