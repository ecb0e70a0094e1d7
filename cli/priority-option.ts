// `--priority` of whatever starts runs: the four words, in a person's letters.

import { Option } from 'commander'
import { type Priority, priorities } from '../plan/schema.ts'

const words = priorities.map((priority) => priority.toLowerCase())

export function priorityOption(): Option {
  return new Option('--priority <level>', 'what goes first when there is more to do than hands')
    .choices(words)
    .default('medium')
}

/** Of a word that the option let through. */
export function toPriority(word: string): Priority {
  return priorities.find((priority) => priority.toLowerCase() === word) ?? 'MEDIUM'
}
