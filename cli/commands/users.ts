// `users list|add|remove`: the people of a household, over the supervisor's control socket. What a
// person needs of their own is one folder, which the owner hands over; this command only says where.

import { z } from 'zod'
import { callControl } from '../control.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import { type Output, table } from '../output.ts'
import { findDeployment, notRunning } from '../session.ts'
import { ask } from './platform.ts'

const personSchema = z.object({
  id: z.string(),
  since: z.number(),
  approvesFor: z.array(z.string()),
  sees: z.array(z.string()),
  folder: z.string(),
})
const refusedSchema = z.object({ message: z.string(), next: z.string().optional() })

/** Changing the bus waits for agents to finish what they have begun. */
const changeWaitMs = 60_000

export async function usersListCommand(output: Output, state: string): Promise<ExitCode> {
  const people = await ask(state, '/users', z.array(personSchema))
  output.data(people, () =>
    table(
      people.map(({ id, since, approvesFor, sees, folder }) => [
        id,
        since === 0 ? 'from the start' : `since ${new Date(since).toISOString().slice(0, 16)}Z`,
        approvesFor.length === 0 ? '' : `approves for ${approvesFor.join(', ')}`,
        sees.length === 0 ? '' : `sees ${sees.join(', ')}`,
        folder,
      ]),
    ),
  )
  return exitCodes.completed
}

export async function usersAddCommand(
  output: Output,
  state: string,
  id: string,
): Promise<ExitCode> {
  const person = personSchema.parse(await change(state, 'add', id))
  output.data(person, () => [
    `${id} is enrolled`,
    `give them this folder, which holds their keys, and nobody else: ${person.folder}`,
    `they then type: npx bulkhead runs list --state <the folder>`,
  ])
  return exitCodes.completed
}

export async function usersRemoveCommand(
  output: Output,
  state: string,
  id: string,
): Promise<ExitCode> {
  await change(state, 'remove', id)
  output.data({ removed: id }, () => [`${id} is not of the household any more`])
  return exitCodes.completed
}

/** @throws CommandError */
async function change(state: string, what: 'add' | 'remove', id: string): Promise<unknown> {
  const deployment = findDeployment(state)
  if (deployment === undefined) throw notRunning(state)
  const path = `/users/${what}?${new URLSearchParams({ id })}`
  const { status, body } = await callControl(deployment.controlSocket, 'POST', path, changeWaitMs)
  if (status === 200) return body
  const refused = refusedSchema.safeParse(body)
  throw new CommandError(refused.data?.message ?? 'the supervisor refused', {
    exitCode: status === 400 ? exitCodes.usage : exitCodes.failed,
    next: refused.data?.next ?? 'npx bulkhead users list',
  })
}
