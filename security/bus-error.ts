// How a call over the bus can fail, from the caller's side.

/** `NOT_DELIVERED`: nobody was there, safe to send again. `TIMEOUT`: sent, outcome unknown. */
export type BusErrorCode = 'NOT_DELIVERED' | 'TIMEOUT' | 'PERMISSION' | 'CLOSED' | 'MALFORMED'

export class BusError extends Error {
  override readonly name = 'BusError'
  readonly code: BusErrorCode
  constructor(code: BusErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
