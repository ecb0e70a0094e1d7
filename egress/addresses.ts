// Which addresses the gateway connects to, decided after the name was resolved and about the very
// address that is then used. Pure. Public IPv6 is what is assigned (2000::/3); everything else is
// refused by absence. Lists: IANA special-purpose address registries (RFC 6890 and its updates).

import { BlockList, isIP, isIPv4 } from 'node:net'
import { EgressError } from './codes.ts'

/** Never, whoever named it: no server answers there, or the cloud's metadata does. */
const never = listOf(
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
)

/** A house's own networks and this machine: only where a person named them. */
const ownNetworks = listOf(
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['::1', 128],
  ['fc00::', 7],
)

const assigned = listOf(['2000::', 3])

/** Parts of 2000::/3 that lead elsewhere: protocol assignments and Teredo, documentation, 6to4. */
const notPublic = listOf(['2001::', 23], ['2001:db8::', 32], ['2002::', 16], ['3fff::', 20])

function listOf(...subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList()
  for (const [net, prefix] of subnets) list.addSubnet(net, prefix, isIPv4(net) ? 'ipv4' : 'ipv6')
  return list
}

export type AddressKind = 'public' | 'own' | 'never'

export function kindOfAddress(address: string): AddressKind {
  const version = isIP(address)
  // A scope names an interface of this machine.
  if (version === 0 || address.includes('%')) return 'never'
  const family = version === 4 ? 'ipv4' : 'ipv6'
  // Node looks IPv4 rules up for mapped addresses too; no such address is ever connected to.
  if (family === 'ipv6' && isEmbedded(address)) return 'never'
  if (ownNetworks.check(address, family)) return 'own'
  if (family === 'ipv4') return never.check(address, family) ? 'never' : 'public'
  return assigned.check(address, family) && !notPublic.check(address, family) ? 'public' : 'never'
}

const embedding = listOf(['::ffff:0:0', 96], ['64:ff9b::', 96], ['64:ff9b:1::', 48])
function isEmbedded(address: string): boolean {
  return embedding.check(address, 'ipv6')
}

/**
 * The address to connect to. One that is refused among several refuses all: an honest name does not
 * lead to the outside and into the house at once.
 * @throws EgressError NAME_UNRESOLVED, ADDRESS_REFUSED
 */
export function chooseAddress(
  addresses: readonly string[],
  allowed: {
    readonly own: boolean
    readonly public: boolean
    readonly missing: string
    readonly place?: string
  },
): string {
  const [first] = addresses
  if (first === undefined) throw new EgressError('NAME_UNRESOLVED', 'the name has no address')
  for (const address of addresses) {
    const kind = kindOfAddress(address)
    if ((kind === 'public' && allowed.public) || (kind === 'own' && allowed.own)) continue
    const { missing, place } = allowed
    const line = kind === 'own' ? { missing, ...(place === undefined ? {} : { place }) } : {}
    throw new EgressError('ADDRESS_REFUSED', 'the name leads to an address that is refused', line)
  }
  return first
}
