// What a manifest says of flow, checked: labels name fields that a result has, an audience named by an
// argument is one that decides, and whatever ends up in the line of a network request decides too (rule
// R5: host, path and query are control). Pure.

import type { EgressDeclaration } from './egress-declaration.ts'
import { alternativesOf, type JsonSchema, walkSchema } from './json-schema.ts'
import type { FieldLabel } from './labels.ts'
import type { Audience, Role } from './manifest.ts'
import { isObject, parsePointer } from './pointer.ts'

interface LabelledAction {
  readonly roles: Readonly<Record<string, Role>>
  readonly audience: Audience
  readonly egress?: readonly string[]
  readonly labels?: Readonly<Record<string, FieldLabel>>
  readonly addresses?: readonly string[]
  readonly quotes?: readonly string[]
}

/** The first thing wrong with what an action declares of flow, or undefined. */
export function faultOfFlow(
  action: LabelledAction,
  output: JsonSchema,
  egress: readonly EgressDeclaration[],
): string | undefined {
  for (const [pointer, { readers }] of Object.entries(action.labels ?? {})) {
    if (!hasPart(output, pointer)) return `labels ${pointer}, which its result does not have`
    if (readers !== 'PUBLIC' && readers !== 'owner') {
      return `labels ${pointer} with readers that do not exist`
    }
  }
  const { audience, addresses = [], quotes = [] } = action
  const nowhere = [...addresses, ...quotes].find((pointer) => !hasPart(output, pointer))
  if (nowhere !== undefined) return `speaks of ${nowhere}, which its result does not have`
  const named = namedIn(audience)
  if (named !== undefined && roleOf(action, named) !== 'control') {
    return `names its audience by ${named}, which is no argument that decides`
  }
  const loose = requestPointers(action, egress).find(
    (pointer) => roleOf(action, pointer) === 'content',
  )
  if (loose !== undefined) return `puts ${loose} into a request, so its role is not content`
  return undefined
}

/** The argument that says who will see it, where one does. */
export function namedIn(audience: Audience): string | undefined {
  if (!isObject(audience)) return undefined
  if ('hostOf' in audience) return String(audience['hostOf'])
  return 'arg' in audience ? String(audience['arg']) : undefined
}

/** A choice of hosts is among those that the action declares, whatever its argument comes to be. */
export function faultOfChoice(
  { audience, egress = [] }: Pick<LabelledAction, 'audience' | 'egress'>,
  input: JsonSchema,
): string | undefined {
  if (!isObject(audience) || !('hostOf' in audience)) return undefined
  const pointer = String(audience['hostOf'])
  const found = walkSchema(input, parsePointer(pointer) ?? [''])
  const choices = alternativesOf(found ?? {}).flatMap((one) => one['enum'] ?? [one['const']])
  if (choices.every((one) => typeof one === 'string' && egress.includes(one))) return undefined
  return `names its audience by ${pointer}, which is no choice of its egress`
}

function hasPart(output: JsonSchema, pointer: string): boolean {
  const tokens = parsePointer(pointer)?.map((token) => (token === '*' ? '0' : token))
  return tokens !== undefined && walkSchema(output, tokens) !== undefined
}

/**
 * True when nobody sees an undo or a probe who does not see the action: flow is judged of the action's
 * arguments and its audience alone.
 */
export function seesNoMore(
  { audience: inner }: Pick<LabelledAction, 'audience'>,
  { audience: outer }: Pick<LabelledAction, 'audience'>,
): boolean {
  if (inner === 'owner' || outer === 'PUBLIC') return true
  if (!isObject(inner) || !isObject(outer)) return false
  return 'host' in inner && 'host' in outer && inner['host'] === outer['host']
}

/** Pointers of the arguments that a manifest binds to path or query of the action's requests. */
export function requestPointers(
  { egress: ids = [] }: Pick<LabelledAction, 'egress'>,
  egress: readonly EgressDeclaration[],
): readonly string[] {
  const rules = egress.filter(({ id }) => ids.includes(id)).flatMap(({ allow }) => allow)
  return [...new Set(rules.flatMap(({ bind = {} }) => Object.values(bind)))]
}

/** True when what the action asks for is not bound to arguments: then any of them may be in a request. */
export function hasFreeRequests(
  { egress: ids = [] }: Pick<LabelledAction, 'egress'>,
  egress: readonly EgressDeclaration[],
): boolean {
  const rules = egress.filter(({ id }) => ids.includes(id)).flatMap(({ allow }) => allow)
  return rules.some(({ path, query }) => path.endsWith('*') || query !== undefined)
}

function roleOf({ roles }: LabelledAction, pointer: string): Role | undefined {
  return Object.hasOwn(roles, pointer) ? roles[pointer] : undefined
}
