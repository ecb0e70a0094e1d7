// What kind of effect an action has, and what its undo is called with. Types alone, without an
// import: the workflow's side reads them too, and knows neither zod nor Node.

export type Effect = 'read' | 'write' | 'egress' | 'irreversible'

/**
 * Where an undo's argument comes from. `$args` and `$result` are RFC 6901 pointers into the step's
 * own arguments and result; `$idem` is the step's effect id. A form that needs the result cannot be
 * authorised when the result is absent (outcome unknown), so prefer the first two.
 */
export type UndoArgument =
  | { readonly $args: string }
  | { readonly $result: string }
  | { readonly $idem: true }
  | string
  | number
  | boolean
  | null
