// Which earlier results a plan builds on, and what each will be as a type. What stands behind a handle is
// asked for once a plan; a compiler that cannot ask (schedules: each firing would build on the same result,
// which is gone one day) refuses them, and one without a platform passes what only the notary can tell.

import type { Check } from './compile-arguments.ts'
import type { Findings } from './findings.ts'
import {
  isHandle,
  type LookUpHandle,
  type PinnedHandle,
  type Pins,
  toHandleReference,
} from './handle.ts'
import { type JsonSchema, toJsonSchema, walkSchema } from './json-schema.ts'
import { limits } from './limits.ts'
import type { ActionManifest, Catalogue } from './manifest.ts'
import { type Form, sourcesOf } from './references.ts'
import type { CompiledStep, WrittenPlan } from './schema.ts'

/** `later`: looked up when it is registered. `never`: no plan of this kind has any. */
export type HandleScope = 'later' | 'never' | ReadonlyMap<string, KnownHandle>

interface KnownHandle {
  readonly pin: PinnedHandle
  readonly action: ActionManifest
}

/** Of a step, written or compiled, what may name earlier results. */
type Naming = Partial<Pick<CompiledStep, 'args' | 'when' | 'forEach'>>

/** The earlier results that a plan builds on, each once, in the order of the plan. */
export function handlesNamed({ steps }: { readonly steps: readonly Naming[] }): readonly string[] {
  const named = steps.flatMap(({ args = {}, when = null, forEach }) =>
    sourcesOf({ args, when, ...(forEach === undefined ? {} : { forEach }) }).filter(isHandle),
  )
  return [...new Set(named)]
}

/** What is known of each handle of the plan. */
export function lookUpHandles(
  plan: WrittenPlan,
  lookUp: LookUpHandle | 'later' | undefined,
  { catalogue, findings }: { readonly catalogue: Catalogue; readonly findings: Findings },
): HandleScope {
  if (lookUp === undefined) return 'never'
  const names = handlesNamed(plan)
  if (names.length > limits.handles) {
    const message = `the plan builds on more than ${limits.handles} earlier results`
    findings.add({ code: 'LIMIT', path: '/steps', message })
    return new Map()
  }
  if (lookUp === 'later') return lookUp
  return new Map(
    names.flatMap((name): [string, KnownHandle][] => {
      const pin = lookUp(name)
      const actions = pin === undefined ? {} : (catalogue.get(pin.agent)?.actions ?? {})
      const action =
        pin !== undefined && Object.hasOwn(actions, pin.action) ? actions[pin.action] : undefined
      return pin === undefined || action === undefined ? [] : [[name, { pin, action }]]
    }),
  )
}

/** As the compiled plan carries them: nothing where there are none, so that such plans keep their digest. */
export function pinsIn(handles: HandleScope): { readonly handles?: Pins } {
  if (typeof handles === 'string' || handles.size === 0) return {}
  return { handles: Object.fromEntries([...handles].map(([name, { pin }]) => [name, pin])) }
}

/** Undefined where it was refused, or where nothing can be said yet. */
export function typeOfHandle(
  { handle, pointer }: Extract<Form, { form: 'handle' }>,
  path: string,
  { scope, findings }: Check,
): JsonSchema | undefined {
  const reference = toHandleReference(handle, pointer)
  const named = JSON.stringify(handle.slice(0, 170))
  if (reference === undefined) {
    const message = `${named} is not request/step/iteration, or its pointer is none`
    findings.add({ code: 'UNKNOWN_REFERENCE', path, message })
    return undefined
  }
  if (scope.handles === 'later') return undefined
  if (scope.handles === 'never') {
    const message = 'what runs again and again builds on no single earlier result'
    findings.add({ code: 'UNKNOWN_HANDLE', path, message, fix: 'let a step of the plan find it' })
    return undefined
  }
  const known = scope.handles.get(handle)
  if (known === undefined) {
    const message = `you have no earlier result ${named}`
    const fix = 'take one that runs show lists; only a step that has settled has one'
    findings.add({ code: 'UNKNOWN_HANDLE', path, message, fix })
    return undefined
  }
  const { pin, action } = known
  const found = walkSchema(toJsonSchema(action.output, 'output'), reference.tokens)
  if (found !== undefined) return found
  const message = `${pin.agent}.${pin.action} has no result ${pointer}`
  findings.add({ code: 'UNKNOWN_REFERENCE', path, message })
  return undefined
}
