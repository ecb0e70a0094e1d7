// How much the agent `model` writes to a provider at most, for arguments that it is given: what a call is
// bounded by before it is one. Each text stands in the question as JSON in JSON, and the shape of an answer
// names again what the arguments name. Generous where it counts words of the agent's own, because a bound
// that is too low has the agent refuse what was chosen. Pure.

import { textFrameTokens } from '../plan/model-prices.ts'

/** What a router may be asked for: the actions of the agent. */
export const capabilities = ['propose', 'extract', 'compose', 'embed'] as const
export type Capability = (typeof capabilities)[number]

/** The agent's own words to the model, and the frame of its question. */
const ownWords = 3_000
/** The shape of one step, and of one value, without the names in it. */
const [stepShape, fieldShape] = [450, 200]

/** The arguments of a call, as far as they reach a provider. */
export type Asked =
  | {
      readonly capability: 'propose'
      readonly args: {
        readonly words: readonly string[]
        readonly actions: readonly {
          readonly action: string
          readonly args: readonly { readonly name: string }[]
        }[]
      }
    }
  | {
      readonly capability: 'extract'
      readonly args: {
        readonly text: string
        readonly fields: readonly { readonly name: string; readonly choices?: readonly string[] }[]
      }
    }
  | { readonly capability: 'compose'; readonly args: Readonly<Record<string, unknown>> }
  | { readonly capability: 'embed'; readonly args: { readonly texts: readonly string[] } }

/** Bytes, which bound tokens: a token is at least one. */
export function questionBytesOf(asked: Asked): number {
  switch (asked.capability) {
    case 'propose':
      return wordsBytes(asked.args) + sum(asked.args.actions, stepBytes)
    case 'extract':
      return wordsBytes(asked.args) + sum(asked.args.fields, fieldBytes)
    case 'compose':
      return wordsBytes(asked.args)
    case 'embed':
      return sum(asked.args.texts, (text) => Buffer.byteLength(text) + textFrameTokens)
  }
}

function wordsBytes(args: object): number {
  return ownWords + bytesOf(JSON.stringify(args))
}

function stepBytes({ action, args }: { action: string; args: readonly { name: string }[] }) {
  return stepShape + bytesOf(action) + sum(args, ({ name }) => bytesOf(name) + 1)
}

function fieldBytes({ name, choices = [] }: { name: string; choices?: readonly string[] }) {
  // Named among what there is and among what must be there, and the choices twice: in words and as a shape.
  return fieldShape + 2 * bytesOf(name) + 2 * sum(choices, (choice) => bytesOf(choice) + 4)
}

/** As JSON: quotation marks and what is escaped included. */
const bytesOf = (text: string) => Buffer.byteLength(JSON.stringify(text))

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
