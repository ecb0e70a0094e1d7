// The way of something that was decided upon: the one address that is connected to, and the credential
// that is added. A name is resolved once, and what is judged is what is used.

import { setTimeout as delay } from 'node:timers/promises'
import type { Origin } from '../security/host.ts'
import { chooseAddress } from './addresses.ts'
import { EgressError } from './codes.ts'
import {
  type CredentialPlace,
  egressLimits,
  type GatewayAgent,
  type ResolvedEgress,
} from './contract.ts'

export interface RouteDependencies {
  /** All addresses of a name. Asked once for each request and each tunnel. */
  readonly resolve: (host: string) => Promise<readonly string[]>
  /** @throws when it cannot be read */
  readonly secretOf: (place: CredentialPlace) => string
}

interface Asked {
  readonly agent: GatewayAgent
  readonly origin: Origin
  readonly declaration: ResolvedEgress
  readonly signal: AbortSignal
}

/** @throws EgressError NAME_UNRESOLVED, ADDRESS_REFUSED */
export async function resolveOnce(
  { resolve }: Pick<RouteDependencies, 'resolve'>,
  { agent, origin, declaration, signal }: Asked,
): Promise<string> {
  const own = declaration.privateAddress || origin.literal
  const missing =
    declaration.setting === undefined
      ? `egress ${declaration.id}: privateAddress: true`
      : `bulkhead.yaml: ${declaration.setting}: an address in place of ${origin.host}`
  const place =
    declaration.setting === undefined
      ? `agents/${agent.agent}/manifest.ts:egress.${declaration.id}.privateAddress`
      : `bulkhead.yaml:${declaration.setting}`
  const allowed = { own, public: declaration.onlyPrivate !== true, missing, place }
  if (origin.literal) return chooseAddress([origin.host], allowed)
  const late = delay(egressLimits.connectMs, undefined, { signal, ref: false }).catch(
    () => undefined,
  )
  const addresses = await Promise.race([resolve(origin.host), late]).catch(() => undefined)
  return chooseAddress(addresses ?? [], allowed)
}

/** @throws EgressError CREDENTIAL_MISSING */
export function credentialOf(
  { secretOf }: Pick<RouteDependencies, 'secretOf'>,
  { credential }: ResolvedEgress,
): readonly [string, string] | undefined {
  if (credential === undefined) return undefined
  let secret: string
  try {
    secret = secretOf(credential)
  } catch (cause) {
    // Never sent without it: the server might answer with what it shows to strangers.
    throw new EgressError('CREDENTIAL_MISSING', 'the credential cannot be read', { cause })
  }
  if (credential.as === 'bearer') return ['authorization', `Bearer ${secret}`]
  if (credential.as === 'basic') {
    return ['authorization', `Basic ${Buffer.from(secret).toString('base64')}`]
  }
  return [credential.as.header, secret]
}
