// The one error class of this folder: why identities or keys could not be prepared. Messages name
// the file or field at fault and never carry its content.

/**
 * `UNREADABLE`: a stored key is not what its name says. `MISMATCH`: two files that belong together
 * do not. `INVALID`: an input that must never reach a configuration file. Nothing is overwritten to
 * repair any of them: a person decides.
 */
export type PkiErrorCode = 'UNREADABLE' | 'MISMATCH' | 'INVALID'

export class PkiError extends Error {
  override readonly name = 'PkiError'
  readonly code: PkiErrorCode
  constructor(code: PkiErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
