// A secret of the person's on its way into the one sandbox that may have it: named in `bulkhead.yaml`,
// found by that agent as a file of its own, nowhere else, gone with the sandbox.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { ensure, processOf, stubs, until, worker } from '../support/observer.ts'
import { testSecrets } from '../support/test-agent/manifest.ts'

const value = 'canary-of-agent-secrets-7d41'

async function start(setting: string, env: Record<string, string> = {}): Promise<TestDeployment> {
  return startDeployment({
    ...stubs,
    home: { yaml: `agents:\n  test:\n    folder: counts\n${setting}` },
    overrides: { test: { secrets: testSecrets, idleMs: 60_000 } },
    env,
  })
}

/** Files below a folder that hold the value. */
function holders(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(value))
}

describe('a secret of an agent', () => {
  it('is a file of its sandbox alone, 0400, and gone when that has ended', async () => {
    const deployment = await start('    password: env://BULKHEAD_TEST_PASSWORD\n', {
      BULKHEAD_TEST_PASSWORD: value,
    })
    const bus = await worker(deployment)
    try {
      expect(await ensure(bus)).toMatchObject({ status: 'RUNNING' })
      const { pid } = await processOf(deployment, 'agent test.0')
      const inside = `/proc/${pid}/root/secrets/password`
      expect(readFileSync(inside, 'utf8')).toBe(value)
      expect(statSync(inside).mode & 0o777).toBe(0o400)
      const outside = join(deployment.state, 'agents', 'test.0', 'secrets', 'password')
      expect(holders(deployment.state)).toEqual([outside])
      for (const name of ['environ', 'cmdline']) {
        expect(readFileSync(`/proc/${pid}/${name}`, 'latin1')).not.toContain(value)
      }
      process.kill(pid ?? 0, 'SIGKILL')
      await until('it has ended', async () => {
        return (await processOf(deployment, 'agent test.0')).state === 'stopped'
      })
      expect(existsSync(outside)).toBe(false)
      expect(deployment.said()).not.toContain(value)
    } finally {
      await bus.close()
      await deployment.stop()
    }
  })

  it.each([
    ['NOT_CONFIGURED', '', 'test.password is not set'],
    ['CONFIG_INVALID', '    password: env://BULKHEAD_TEST_NOT_THERE\n', 'test.password: '],
    ['CONFIG_INVALID', `    password: ${value}\n`, 'test.password: not a reference to a secret'],
  ])('that cannot be had refuses the start with %s', async (code, setting, message) => {
    const deployment = await start(setting)
    const bus = await worker(deployment)
    try {
      const reply = await ensure(bus)
      expect(reply).toMatchObject({ status: 'FAILED', code })
      expect(JSON.stringify(reply)).toContain(message)
      expect(JSON.stringify(reply)).not.toContain(value)
      expect(deployment.said()).not.toContain(value)
    } finally {
      await bus.close()
      await deployment.stop()
    }
  })
})
