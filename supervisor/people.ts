// Who of a household is enrolled besides the owner, as the supervisor remembers it: ids, and since when.
// Keys lie in each person's folder, rights over others in `bulkhead.yaml`; neither is here.

import { z } from 'zod'
import { ownerId, userIdSchema } from '../security/people.ts'
import { readIfThere } from '../security/read-if-there.ts'
import { SupervisorError } from './codes.ts'
import { writeFor } from './ownership.ts'

const peopleSchema = z
  .array(
    z.strictObject({
      id: userIdSchema.refine((id) => id !== ownerId),
      /** Milliseconds since the epoch. */
      since: z.number().int(),
    }),
  )
  .readonly()
export type EnrolledPerson = z.infer<typeof peopleSchema>[number]

export interface People {
  list(): readonly EnrolledPerson[]
  ids(): readonly string[]
  /** On the disk when it returns. @throws SupervisorError USAGE */
  add(person: EnrolledPerson): void
  /** On the disk when it returns. @throws SupervisorError USAGE */
  remove(id: string): void
}

/** A household, not a company: each person costs an account and two dozen routes of the bus. */
const mostPeople = 16

/** @throws SupervisorError STATE_UNUSABLE for a damaged file */
export function openPeople(file: string): People {
  let people = read(file)
  const write = (next: readonly EnrolledPerson[]) => {
    writeFor(undefined, file, `${JSON.stringify(next)}\n`, 0o600)
    people = next
  }
  return {
    list: () => people,
    ids: () => people.map(({ id }) => id),
    add(person) {
      if (person.id === ownerId || people.some(({ id }) => id === person.id)) {
        throw usage(`${person.id} is enrolled already`)
      }
      if (people.length >= mostPeople) throw usage(`there are ${mostPeople} people already`)
      write([...people, person])
    },
    remove(id) {
      if (id === ownerId) throw usage('the owner stays as long as the deployment')
      if (!people.some((person) => person.id === id)) throw usage(`nobody is enrolled as ${id}`)
      write(people.filter((person) => person.id !== id))
    },
  }
}

function usage(message: string): SupervisorError {
  return new SupervisorError('USAGE', message, { next: 'npx bulkhead users list' })
}

function read(file: string): readonly EnrolledPerson[] {
  const text = readIfThere(file)
  if (text === undefined) return []
  try {
    return peopleSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new SupervisorError('STATE_UNUSABLE', `${file} does not name the people`, {
      next: `restore ${file} from a backup, or remove it and enrol everybody again`,
      cause,
    })
  }
}
