// Plays a trace of the model on the real parts and compares after every action: the notary on its
// file, the agent's runtime and ledger on theirs, and a count of what really happened. A crash is the
// closing of the files at that point, and their opening again. The worker and the workflow have no
// part here: a trace says what they ask for, and test/workflows holds them to it.

import type { Reply } from '../../agents/protocol.ts'
import { idemOf } from '../../notary/locate.ts'
import { createCatalogue } from '../../plan/manifest.ts'
import { toPublicJwk } from '../../security/verify/keys.ts'
import { type Authorised, createHarness, type Harness, issuer, nkey } from '../notary/harness.ts'
import { createHome, type TestHome } from '../support/agent-home.ts'
import { type AgentDouble, manifest, startAgent } from './agent-double.ts'
import type { Address, ModelWorld } from './trace.ts'

/** One tick of the model: longer than a token lives, with its skew. */
const tickMs = 33_000

interface Real {
  harness: Harness
  readonly home: TestHome
  agent: AgentDouble
  bootEpoch: string
  boots: number
  readonly digests: ReadonlyMap<number, string>
  /** By the model's number of a token. */
  readonly authorised: Map<number, Authorised>
  readonly replies: Map<number, Reply>
}

/** What the real parts are found to say; compared with what the model says. */
export interface Difference {
  readonly at: number
  readonly deed: ModelWorld['did']
  readonly model: unknown
  readonly real: unknown
}

/** Undefined when the real parts went all the way with the trace. */
export async function replay(trace: readonly ModelWorld[]): Promise<Difference | undefined> {
  const [first] = trace
  if (first === undefined) throw new Error('an empty trace')
  const real = await build(first)
  try {
    for (const [at, model] of trace.entries()) {
      const answer = at === 0 ? '' : await perform(real, model)
      const expected = { ...abstract(model, real), answer: at === 0 ? '' : model.did.answer }
      const found = { ...observe(model, real), answer }
      if (JSON.stringify(expected) !== JSON.stringify(found)) {
        return { at, deed: model.did, model: expected, real: found }
      }
    }
    return undefined
  } finally {
    await real.agent.crash()
    await real.harness.close()
    real.home.remove()
  }
}

async function build({ repeatable, requests }: ModelWorld): Promise<Real> {
  const harness = await createHarness({ catalogue: createCatalogue([manifest]) })
  const action = repeatable ? 'append' : 'book'
  const digests = new Map<number, string>()
  for (const request of requests) {
    const { digest } = await harness.run(planOf(action), { requestId: `r-${request}` })
    digests.set(request, digest)
  }
  const home = createHome()
  const booted = await boot({ harness, home, boots: 0 })
  return { harness, home, digests, ...booted, authorised: new Map(), replies: new Map() }
}

const args = { note: 'daily', text: 'a', dryRun: false }

function planOf(action: string): string {
  return `
version: 1
goal: do it once
steps:
  - { id: step, agent: desk, action: ${action}, args: { note: daily, text: a, dryRun: false } }
answer: { from: [step] }
`
}

async function boot({ harness, home, boots }: Pick<Real, 'harness' | 'home' | 'boots'>) {
  const bootEpoch = `epoch-of-boot-${boots + 1}`
  const agent = await startAgent(home, {
    ...{ bootEpoch, issuer, nkey },
    jwks: { keys: [toPublicJwk(harness.keys.signing)] },
    now: () => harness.clock.now(),
  })
  await harness.boot({ bootEpoch, receiptKey: agent.receiptKey })
  return { agent, bootEpoch, boots: boots + 1 }
}

function idemAt({ digests }: Real, { request, kind }: Address): string {
  const step = { request: `r-${request}`, step: 'step', iteration: 0, rerun: 0 }
  return idemOf(digests.get(request) ?? '', { ...step, kind: kind === 'undo' ? 'undo' : 'do' })
}

function callOf(real: Real, address: Address) {
  const { request, kind } = address
  const planDigest = real.digests.get(request) ?? ''
  return { requestId: `r-${request}`, planDigest, kind, step: 'step', iteration: 0 }
}

function argsOf(real: Real, address: Address) {
  if (address.kind === 'do') return args
  return { note: 'daily', entry: idemAt(real, { ...address, kind: 'do' }), dryRun: false }
}

function authorize(real: Real, address: Address, op: 'run' | 'attach' = 'run') {
  const args = op === 'run' ? argsOf(real, address) : {}
  const call = { ...callOf(real, address), op, args, sources: [] }
  return real.harness.notary.authorize('worker', call)
}

/** Lets it happen, and says what the model calls the answer. */
async function perform(real: Real, { did }: ModelWorld): Promise<string> {
  const { harness } = real
  const { address, jti } = did
  switch (did.name) {
    case 'authorize': {
      const reply = await authorize(real, address)
      if (reply.status !== 'AUTHORISED') return reply.status
      real.authorised.set(jti, reply)
      return ''
    }
    case 'askInVain': {
      const { status } = await authorize(real, address)
      return status === 'AUTHORISED' ? status : ''
    }
    case 'report': {
      const reply = await authorize(real, address)
      return reply.status === 'SETTLED' ? reply.outcome : reply.status.toLowerCase()
    }
    case 'settleReceipt': {
      const { receipt, envelope } = proofOf(real.replies.get(jti))
      const call = { type: 'receipt', receipt, envelope, invalidResult: false }
      const answer = await harness.notary.settle('worker', { ...callOf(real, address), ...call })
      // A second receipt is a conflict, which changes nothing.
      const isEarly = answer.status === 'REFUSED' && answer.code === 'TOKENS_ALIVE'
      return isEarly ? answer.status : ''
    }
    case 'settleFailure': {
      const call = { type: 'failure', ...callOf(real, address), code: 'NO_REPLY' }
      return (await harness.notary.settle('worker', call)).status
    }
    case 'cancel': {
      const { requestId } = callOf(real, address)
      await harness.notary.cancel('cli', { requestId })
      return ''
    }
    case 'noticeStop':
      await harness.boot({
        bootEpoch: real.bootEpoch,
        running: false,
        receiptKey: real.agent.receiptKey,
      })
      return ''
    case 'crashNotary':
      real.harness = await harness.restart()
      return ''
    case 'tick':
      harness.clock.time += tickMs
      return ''
    // Memory of parts that are played by the trace: what they had is not used again.
    case 'init':
    case 'begin':
    case 'mint':
    case 'publish':
    case 'end':
    case 'reset':
    case 'lose':
    case 'loseReply':
    case 'crashWorker':
      return ''
    case 'boot':
      Object.assign(real, await boot(real))
      return ''
    default:
      return await performAtAgent(real, did)
  }
}

async function performAtAgent(real: Real, { name, address, jti }: ModelWorld['did']) {
  const { agent } = real
  switch (name) {
    case 'deliver': {
      const authorised = real.authorised.get(jti)
      if (authorised === undefined) throw new Error(`token ${jti} was never given`)
      const { token, salt, idem } = authorised
      const command = { op: 'run', token, salt, args: argsOf(real, address) }
      const reply = await agent.deliver(jti, idem, command)
      if (reply === 'STARTED') return reply
      if (reply.status !== 'REFUSED') real.replies.set(jti, reply)
      return reply.status
    }
    case 'execute':
      await agent.execute(jti)
      return ''
    case 'act':
    case 'actAndThrow':
    case 'throwUnacted':
    case 'failAbsent':
      await agent.end(jti, name)
      return ''
    case 'record': {
      const reply = await agent.record(jti)
      real.replies.set(jti, reply)
      return reply.status
    }
    case 'look': {
      const reply = await authorize(real, address, 'attach')
      if (reply.status !== 'AUTHORISED') return reply.status
      real.authorised.set(jti, reply)
      const { token, salt, idem } = reply
      const said = await agent.deliver(jti, idem, { op: 'attach', token, salt })
      if (said === 'STARTED') return said
      real.replies.set(jti, said)
      return said.status === 'ABSENT' ? 'FAILED' : said.status
    }
    case 'crashAgent':
      await agent.crash()
      return ''
    default:
      throw new Error(`no part plays ${name}`)
  }
}

function proofOf(reply: Reply | undefined) {
  if (reply !== undefined && 'receipt' in reply) return reply
  throw new Error('there is no receipt to settle')
}

const byText = (a: readonly unknown[], b: readonly unknown[]) => String(a).localeCompare(String(b))

function answeredOf({ answered, absences }: ModelWorld, jti: number) {
  if (absences.includes(jti)) return 2
  return answered.includes(jti) ? 1 : 0
}

/** What the model says, as far as the real parts can be asked. */
function abstract(model: ModelWorld, real: Real) {
  const at = (address: Address) => idemAt(real, address)
  return {
    effects: model.effects
      .map(([address, { attempts, outcome, retry }]) => [at(address), attempts, outcome, retry])
      .toSorted(byText),
    tokens: model.rows.map(([jti]) => [jti, answeredOf(model, jti)]).toSorted(byText),
    turned: model.turned.toSorted(),
    isRunning: model.notaryEpoch > 0,
    ledger: model.ledger.map(([address, state]) => [at(address), state]).toSorted(byText),
    acts: model.acts.map(([address, count]) => [at(address), count]).toSorted(byText),
  }
}

function observe(model: ModelWorld, { harness, home, authorised }: Real) {
  const { state } = harness.store
  const requests = model.requests.map((request) => `r-${request}`)
  const acts = home.effects()
  return {
    effects: requests
      .flatMap((request) => state.effectsOf(request))
      .map(({ idem, attempts, outcome, retry }) => [
        idem,
        attempts,
        outcome ?? 'open',
        retry ?? 'none',
      ])
      .toSorted(byText),
    tokens: [...authorised]
      .map(([model, { jti }]) => [model, state.token(jti)?.answered])
      .toSorted(byText),
    turned: model.requests
      .filter((request) => {
        const found = state.request(`r-${request}`)
        return typeof (found?.cancelled_at ?? found?.aborted_by ?? undefined) !== 'undefined'
      })
      .toSorted(),
    isRunning: state.replica(manifest.name, 0)?.running === 1,
    ledger: home
      .rows()
      .map(({ idem, state: row }) => [idem, row])
      .toSorted(byText),
    acts: [...new Set(acts)]
      .map((idem) => [idem, acts.filter((act) => act === idem).length])
      .toSorted(byText),
  }
}
