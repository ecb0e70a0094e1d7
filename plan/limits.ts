// Every figure that bounds a plan, a message or a run, in one place (contracts.md, "Limits").
// Each number is a policy: the reason stands beside it. Nothing here is configurable, so that the
// notary and the worker can never disagree about it.

export const limits = {
  /** Steps a person or a model may write in one plan. More is a sign of a loop written out. */
  writtenSteps: 1_000,
  /** Items of one loop: more is a job for an action that pages. */
  loopItems: 5_000,
  /** Steps of one plan with every loop at its maximum: what a run's history can carry. */
  expandedSteps: 10_000,
  /** Bytes of a plan or recipe file before it is parsed: YAML parsers are slow on hostile input. */
  planFileBytes: 1024 * 1024,
  /** Characters of what a person asks in words: a page. */
  wordsCharacters: 4_000,
  /** Bytes of a planner's proposal: what a model may write at once, many times over. */
  proposalBytes: 256 * 1024,
  /** Proposals for one request that are judged: a planner that is told what is wrong tries once more. */
  proposals: 2,
  /** Bytes of one step's arguments as RFC 8785 JSON. */
  argumentBytes: 64 * 1024,
  /** Bytes of one action's result as RFC 8785 JSON; larger results must page. */
  resultBytes: 512 * 1024,
  /** Nesting of any JSON that crosses a boundary: recursion stays far from the stack's end. */
  jsonDepth: 32,
  /** Bytes of all source documents named by one authorisation, below the bus's max_payload. */
  sourceBytes: 1_536 * 1024,
  /** max_payload of the bus. */
  messageBytes: 2 * 1024 * 1024,
  /** Characters of a `$text` after rendering; it is an argument, so it shares that bound. */
  textBytes: 64 * 1024,
  /** Characters of a CEL guard, and nodes of its tree: evaluation time follows its size. */
  guardCharacters: 1_000,
  /** Life of a capability token: one command, not a session. */
  tokenLifeMs: 30_000,
  /** Clock difference between notary and agent that is forgiven. */
  tokenSkewMs: 2_000,
  /** Transport attempts of one step before its failure is a fact. */
  attempts: 5,
  /** Attempts of one step that may be turned away at a pool that is full or does not answer: minutes. */
  turnedAway: 10,
  /** An agent replies within this, or says that it is still at work. */
  replyMs: 15_000,
  /** One action, from its start to its outcome: what takes longer is a job of its own. */
  actionMs: 30 * 60_000,
  /** Tokens to follow one effect that is out: an attachment every few seconds of the longest action. */
  followingTokens: 400,
  /** Reruns of one step: a person who has decided so often must look at the plan. */
  reruns: 100,
  /** Wall time of one run. */
  runMs: 30 * 24 * 3_600_000,
  /** Earlier results that one plan builds on: each is looked up, with the plan that it came from. */
  handles: 32,
  /**
   * What is told of a conversation beside the words that are to be planned: turns, characters of each, and
   * earlier results of all of them. The catalogue and the words share one step's arguments with it.
   */
  contextTurns: 8,
  contextCharacters: 300,
  contextHandles: 16,
  /** Steps in flight at once in one run. */
  fanOut: 64,
  /** Events an agent may send before they are counted instead of stored. */
  eventsPerSecond: 20,
  eventBytesPerMinute: 1024 * 1024,
  /**
   * Of what was reserved for an effect one part in so many stays counted, whatever its agent says that it
   * spent: an honest call comes to about that, and one that lies gets no more than so many times the budget.
   */
  leastSpentShare: 8,
  /** Replicas of one agent in one deployment: each is a sandbox, an account and a ledger of 64 MiB. */
  replicas: 8,
  /** An agent that runs says how it is at least this often. */
  heartbeatMs: 30_000,
  /** A question that nobody has answered by then is denied. */
  approvalLifeMs: 7 * 24 * 3_600_000,
  /** Questions to one user; what is beyond them is decided together. */
  questionsPerHour: 12,
  /** Questions that one signature may decide. */
  questionsPerBatch: 100,
  /** Bytes of a card as RFC 8785 JSON: nobody reads more, and it fits a message. */
  cardBytes: 512 * 1024,
  /** What the notary keeps of decided questions besides who decided and on which digest. */
  cardsKeptMs: 400 * 24 * 3_600_000,
  /** The longest that "always" may mean. */
  grantLifeMs: 366 * 24 * 3_600_000,
  /** Disk that the notary keeps free for itself, so that it can still record a refusal. */
  auditReserveBytes: 8 * 1024 * 1024,
} as const
