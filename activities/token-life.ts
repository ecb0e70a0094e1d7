// How long a token can be of use to whoever holds it. Whoever waits for an effect to be over waits that
// long, and a while of its own for what comes after.

import { limits } from '../plan/limits.ts'

/** From the moment it was signed, on the slowest clock that is forgiven. */
export const tokenAliveMs = limits.tokenLifeMs + limits.tokenSkewMs
