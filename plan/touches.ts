// What an effect can be about, as a closed set: rules of the policy ask by it, and a manifest that names
// something else is refused. A word here without a rule in security/policy is denied by `touch.unknown`.

export const touches = ['money', 'lock', 'door', 'alarm', 'mail', 'deletion', 'noise'] as const
export type Touch = (typeof touches)[number]
