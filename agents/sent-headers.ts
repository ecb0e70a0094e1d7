// Which headers of a library's request go to the gateway. Invariant: those that are named and no other, so
// that nothing a library adds by itself (a credential, what it says of this machine) leaves the sandbox.

/** @param sent in lower case */
export function sentHeaders(
  { headers }: Pick<RequestInit, 'headers'>,
  sent: ReadonlySet<string>,
): Record<string, string> {
  return Object.fromEntries([...new Headers(headers)].filter(([name]) => sent.has(name)))
}
