// What `agent check` finds: the closed union of findings, the checks that look for them, and the report
// that crosses from the process of the check to the command. Shapes only.

import { z } from 'zod'

/** In the order in which they are made and told. */
export const checkNames = [
  'manifest',
  'examples',
  'inputs',
  'results',
  'reads',
  'dry-run',
  'idempotency',
  'undo',
  'egress',
  'confinement',
  'fuzz',
  'bundle',
  'sandbox',
] as const
export type CheckName = (typeof checkNames)[number]

/** Code -> the check that looks for it, and what it means. Codes are for programs, messages for people. */
export const findings = {
  NOT_LOADED: ['manifest', 'the files of the agent cannot be loaded'],
  MANIFEST: ['manifest', 'the manifest is refused'],
  ROLE_MISSING: ['manifest', 'an input has no role, or a role has no input'],
  LABEL_NOWHERE: ['manifest', 'a label, address or quote names what the result does not have'],
  HANDLER_MISSING: ['manifest', 'an action has no handler, or a handler no action'],
  EXAMPLE_MISSING: ['examples', 'an action has no example that ends well'],
  EXAMPLE_REFUSED: ['examples', 'the arguments of an example do not fit the manifest'],
  EXAMPLE_FAILED: ['examples', 'an example ends otherwise than it says'],
  CHANGES_NOTHING: ['examples', 'no example of a write changes anything: nothing is shown by it'],
  INPUT_LOOSE: ['inputs', 'arguments that do not fit the schema are taken'],
  INPUT_CRASH: ['inputs', 'arguments that do not fit are not refused but break the parser'],
  UNTYPED_FAILURE: ['fuzz', 'a handler fails in a way that it did not announce'],
  NO_ANSWER: ['fuzz', 'a handler does not end within its own time'],
  RESULT_OFF_SCHEMA: ['results', 'a result does not have the declared shape'],
  RESULT_TOO_LARGE: ['results', 'a result is larger than declared'],
  RESULT_REFUSED: ['results', 'a result would be refused by the rules for results'],
  READ_CHANGES: ['reads', 'an action that only reads changes something'],
  DRY_RUN_CHANGES: ['dry-run', 'a dry run changes something'],
  SECOND_EFFECT: ['idempotency', 'the same command again changes something again'],
  SECOND_RESULT: ['idempotency', 'the same command again gives another result'],
  ABSENT_CHANGES: ['idempotency', 'a failure that promises that nothing happened left a change'],
  UNDO_FAILED: ['undo', 'an undo does not end well'],
  UNDO_INCOMPLETE: ['undo', 'an undo does not give back what was there'],
  EGRESS_REFUSED: ['egress', 'the gateway would refuse a request'],
  NETWORK: ['egress', 'the network is asked without the gateway'],
  OUTSIDE: ['confinement', 'something is reached that the manifest does not declare'],
  BUNDLE: ['bundle', 'the agent cannot be built into one file that needs nothing but Node'],
  SANDBOX: ['sandbox', 'the agent does not work in the sandbox'],
  ENDED: ['confinement', 'the process ended, or did not end, while the agent was checked'],
} as const satisfies Readonly<Record<string, readonly [CheckName, string]>>

export type FindingCode = keyof typeof findings
export const findingCodes = Object.keys(findings) as readonly FindingCode[]

export const findingSchema = z.strictObject({
  code: z.enum(findingCodes as [FindingCode, ...FindingCode[]]),
  /** Action, or empty where it is the agent's. */
  action: z.string(),
  /** Names places and codes, and quotes no content. */
  message: z.string(),
})
export type Finding = Readonly<z.infer<typeof findingSchema>>

export const checkResultSchema = z.strictObject({
  name: z.enum(checkNames),
  /** How often something was tried. */
  tried: z.number().int().min(0),
  /** Why nothing could be tried, where something should have been. */
  skipped: z.string().exactOptional(),
})
export type CheckResult = Readonly<z.infer<typeof checkResultSchema>>

export const agentReportSchema = z.strictObject({
  agent: z.string(),
  ok: z.boolean(),
  checks: z.array(checkResultSchema).readonly(),
  findings: z.array(findingSchema).readonly(),
})
export type AgentReport = Readonly<z.infer<typeof agentReportSchema>>

/** Collects what one agent's check finds. Each code of an action is told once. */
export class Tally {
  readonly #tried = new Map<CheckName, number>()
  readonly #skipped = new Map<CheckName, string>()
  readonly #findings = new Map<string, Finding>()
  /** The action that is being tried; empty between trials. */
  current = ''
  /** Of findings, those told before among them. */
  told = 0

  tried(name: CheckName): void {
    this.#tried.set(name, (this.#tried.get(name) ?? 0) + 1)
  }
  skip(name: CheckName, reason: string): void {
    this.#skipped.set(name, reason)
  }
  add(code: FindingCode, action: string, message: string): void {
    this.told += 1
    const key = `${code} ${action}`
    if (!this.#findings.has(key)) this.#findings.set(key, { code, action, message })
  }
  blames(action: string): boolean {
    return this.found.some((finding) => finding.action === action)
  }
  get found(): readonly Finding[] {
    return [...this.#findings.values()]
  }
  get checks(): readonly CheckResult[] {
    return checkNames.map((name) => {
      const skipped = this.#skipped.get(name)
      const tried = this.#tried.get(name) ?? 0
      return { name, tried, ...(skipped === undefined ? {} : { skipped }) }
    })
  }
}
