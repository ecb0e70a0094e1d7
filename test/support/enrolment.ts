// A second person of the household: enrolled by the command that the owner types, and with an agent of their
// own where a test is about one.

import { appendFileSync, cpSync, mkdirSync } from 'node:fs'
import { basename } from 'node:path'
import { expect } from 'vitest'
import { z } from 'zod'
import { runCli } from './cli.ts'
import {
  type DeploymentOptions,
  prepareDeployment,
  startDeployment,
  type TestDeployment,
} from './deployment.ts'

/** On a running platform. Returns the folder with their keys, of which a person uses a copy. */
export async function enrol(state: string, id: string): Promise<string> {
  const { code, stdout, stderr } = await runCli(['users', 'add', id, '--state', state, '--json'])
  expect(code, stderr).toBe(0)
  return z.object({ folder: z.string() }).parse(JSON.parse(stdout)).folder
}

export interface OwnAgent {
  readonly agent: string
  /** In the state folder; it is made. */
  readonly folder: string
  /** Where their copy of the keys shall lie. */
  readonly keys: string
  /** Between enrolment and the next start: they have no sandbox of their own yet. */
  readonly tooEarly?: (keys: string) => Promise<void>
}

/** Anna has an agent of her own, which the owner has accepted that it reaches her folder. */
export async function startWithAnnas(
  options: DeploymentOptions & { readonly state: string },
  { agent, folder, keys, tooEarly }: OwnAgent,
): Promise<TestDeployment> {
  const { state } = options
  const { configFile } = await prepareDeployment(options)
  mkdirSync(folder)
  const agents = `{ ${agent}: { folder: ${basename(folder)} } }`
  appendFileSync(configFile, `users: { anna: { agents: ${agents} } }\n`)
  const enrolled = await enrolling(options, tooEarly)
  const platform = await startDeployment(options)
  try {
    // Only now: what says where the platform is reached goes when it stops.
    cpSync(enrolled, keys, { recursive: true })
    // A folder that no agent could reach before: the owner accepts it first.
    const accepted = await runCli(['agents', 'accept-reach', '--state', state])
    expect(accepted.stdout, accepted.stderr).toContain(`read ${folder} at /data/${agent}`)
  } catch (error) {
    await platform.stop()
    throw error
  }
  return platform
}

async function enrolling(
  options: DeploymentOptions & { readonly state: string },
  tooEarly: OwnAgent['tooEarly'],
): Promise<string> {
  const platform = await startDeployment(options)
  try {
    const keys = await enrol(options.state, 'anna')
    await tooEarly?.(keys)
    return keys
  } finally {
    await platform.stop()
  }
}
