// What requests and steps may be called, and which request ids the house alone gives: no entry point may
// register one of those, and no conversation begin one. Pure, and imports nothing: workflows read it too.

/** Names that a plan may give. Never a prototype's, a path or a control character. */
export const stepIdPattern = /^[a-z][a-z0-9-]{0,39}$/
export const requestIdPattern = /^[a-z0-9][a-z0-9:.-]{0,119}$/

/** Request ids that begin so belong to schedules (firing.ts). */
export const firingPrefix = 'sched:'

/** One asking of one model (consultation.ts). */
export interface Consultation {
  /** The request in words that it is for. */
  readonly of: string
  /** 2: what a model proposed in the first round did not compile. */
  readonly round: 1 | 2
  /** Index into the configured models. */
  readonly model: number
}

const consultationPattern = /^(.+):propose-([12])-(0|[1-9]\d?)$/

export function consultationId({ of, round, model }: Consultation): string {
  return `${of}:propose-${round}-${model}`
}

/** Undefined: the id is none of a consultation. */
export function parseConsultationId(id: string): Consultation | undefined {
  const [, of = '', round, model] = consultationPattern.exec(id) ?? []
  if (!requestIdPattern.test(of) || !requestIdPattern.test(id)) return undefined
  return { of, round: round === '2' ? 2 : 1, model: Number(model) }
}
