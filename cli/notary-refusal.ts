// What the notary said where another answer was wanted: the same words in every command. Pure.

export interface NotaryRefusal {
  readonly code: string
  /** One sentence, with the code in it. */
  readonly words: string
}

/** Of a reply that is none of those wanted: a refusal, or an answer to something else. */
export function refusalIn(reply: {
  readonly status: string
  readonly code?: string
  readonly message?: string
}): NotaryRefusal {
  const isRefused = reply.status === 'REFUSED'
  const code = isRefused ? (reply.code ?? reply.status) : reply.status
  const said = isRefused ? reply.message : 'an answer that was not asked for'
  return { code, words: `the notary refused: ${code}: ${said}` }
}
