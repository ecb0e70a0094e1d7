// Why the supervisor refuses or gives up: one closed union, referred to by name in tests, documents
// and in the replies of `supervisor.ensure`. Messages may change, codes may not.

export const supervisorCodes = [
  // the command line and the machine
  'USAGE',
  'CONFIG_INVALID',
  'STATE_UNUSABLE',
  'ALREADY_RUNNING',
  'COPY_UNUSABLE',
  'TOOL_MISSING',
  'TOOL_UNFIT',
  'SANDBOX_MISSING',
  'PORT_TAKEN',
  'DISK_FULL',
  // starting a process
  'BUNDLE_FAILED',
  'START_FAILED',
  'START_TIMEOUT',
  'BUS_NOT_RELOADED',
  // keys
  'ROTATION_RUNNING',
  'ROTATION_FAILED',
  'KEY_NOT_TAKEN_UP',
  // agents
  'UNKNOWN_AGENT',
  'NOT_CONFIGURED',
  'SANDBOX_FAILED',
  'VOLUME_FAILED',
  'OVER_QUOTA',
  'WITNESS_BEHIND',
  'QUARANTINED',
  'REACH_NOT_ACCEPTED',
  'BACKING_OFF',
  'NOT_RECORDED',
  'STOPPING',
] as const
export type SupervisorCode = (typeof supervisorCodes)[number]

/** `next` is the command or the step that a person should take. */
export class SupervisorError extends Error {
  override readonly name = 'SupervisorError'
  readonly code: SupervisorCode
  readonly next: string | undefined
  constructor(
    code: SupervisorCode,
    message: string,
    options: { readonly next?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.next = options.next
  }
}

/** Exit codes of the program (interfaces.md): 1 failed, 2 usage. */
export function toExitCode(code: SupervisorCode): 1 | 2 {
  return code === 'USAGE' || code === 'CONFIG_INVALID' ? 2 : 1
}

/** What the system says when a folder is not ours to write. */
const unwritable = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT']

/**
 * A full disk and a folder that cannot be written show up in any write; they are the system errors
 * that have advice of their own. Everything else is passed through unchanged.
 */
export function explainSystemError(error: unknown, folder: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
    return new SupervisorError('DISK_FULL', `no space left for ${folder}`, {
      next: `free some space on that disk (df -h ${folder}), then start again`,
      cause: error,
    })
  }
  const isBelow = 'path' in error && String(error.path).startsWith(folder)
  if (!isBelow || !unwritable.includes(String(error.code))) return error
  return new SupervisorError('STATE_UNUSABLE', `${folder} cannot be used: ${error.message}`, {
    next: `choose another folder with --state, or make this one yours: ls -ld ${folder}`,
    cause: error,
  })
}
