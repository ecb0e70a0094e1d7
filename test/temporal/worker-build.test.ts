// How a worker becomes the one that gets tasks; what the server makes of it is in
// test/integration/worker-build.test.ts.

import { describe, expect, it } from 'vitest'
import { claimTasks, deploymentOptions } from '../../temporal/worker-build.ts'

type Connection = Parameters<typeof claimTasks>[0]

/** Answers with these gRPC codes, one after the other, 0 for yes; and remembers what it was asked. */
function serverOf(codes: readonly number[]) {
  const asked: unknown[] = []
  const answer = async (request: unknown) => {
    const code = codes[asked.length] ?? 0
    asked.push(request)
    if (code !== 0) throw Object.assign(new Error(`code ${code}`), { code })
    return {}
  }
  const workflowService = { setWorkerDeploymentCurrentVersion: answer }
  return { asked, connection: { workflowService } as unknown as Connection }
}

const claim = { namespace: 'n', build: 'b', identity: 'i' }
const patience = { attempts: 3, pauseMs: 1 }

describe('a build', () => {
  it('becomes current before anybody polls for it', async () => {
    const { asked, connection } = serverOf([])
    expect(await claimTasks(connection, claim, patience)).toBe('b')
    expect(asked).toMatchObject([
      { namespace: 'n', deploymentName: 'bulkhead', buildId: 'b', allowNoPollers: true },
    ])
  })

  it.each([4, 8, 13, 14])(
    'is claimed again when the server is not ready: code %i',
    async (code) => {
      const { asked, connection } = serverOf([code, code])
      expect(await claimTasks(connection, claim, patience)).toBe('b')
      expect(asked.length).toBe(3)
    },
  )

  it('is given up with the server’s own word, and not left out, when it stays so', async () => {
    const { asked, connection } = serverOf([14, 14, 14, 14])
    await expect(claimTasks(connection, claim, patience)).rejects.toThrow('code 14')
    expect(asked.length).toBe(3)
  })

  it.each([7, 12])('is left out where the server knows none: code %i', async (code) => {
    const { asked, connection } = serverOf([code])
    expect(await claimTasks(connection, claim, patience)).toBeUndefined()
    expect(asked.length).toBe(1)
  })

  it('lets runs move to it, and is nothing where there is none', () => {
    expect(deploymentOptions(undefined)).toEqual({})
    expect(deploymentOptions('b').workerDeploymentOptions).toEqual({
      version: { deploymentName: 'bulkhead', buildId: 'b' },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    })
  })
})
