// What a handler asks of a program in its sandbox, and what it gets back.

export interface ProgramRequest {
  /** Its name in the manifest. */
  readonly program: string
  /** Seen by whoever may look at the process: no secret belongs here. */
  readonly args: readonly string[]
  /** Its standard input; absent: empty. */
  readonly input?: string | Uint8Array
  /** Where it starts, absolute; absent: `/`, where nothing can be written. */
  readonly cwd?: string
  /** Variables; nothing else is in its environment but what finds its own libraries. */
  readonly env?: Readonly<Record<string, string>>
  /** Of its standard output. */
  readonly maxBytes: number
}

export interface ProgramResult {
  /** Its exit code; 128 and the signal's number where a signal ended it. */
  readonly code: number
  readonly stdout: Uint8Array
  /** The end of it, where it is long. */
  readonly stderr: string
}
