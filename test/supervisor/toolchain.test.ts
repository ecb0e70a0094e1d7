import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Environment } from '../../supervisor/config.ts'
import { locateRuntime } from '../../supervisor/sandbox/host.ts'
import { compareVersions, installation, locateTool } from '../../supervisor/toolchain.ts'

let base: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-tools-'))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

function program(path: string, says: string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `#!/bin/sh\necho "${says}"\n`)
  chmodSync(path, 0o755)
  return path
}

const environment = (change: Partial<Environment> = {}): Environment => ({
  cacheFolder: join(base, 'cache'),
  systemFolder: join(base, 'system'),
  toolsFolder: undefined,
  path: [join(base, 'bin')],
  temporaryFolder: base,
  childEnvironment: {},
  variable: () => undefined,
  ...change,
})

/** Where set-up puts nats-server: version of go.mod, digest of go.sum. */
function cached(): string {
  const sums = readFileSync(join(installation, 'tools', 'nats-server', 'go.sum'))
  const digest = createHash('sha256').update(sums).digest('hex').slice(0, 12)
  return join(base, 'cache', 'tools', 'nats-server', `2.14.5-${digest}`, 'nats-server')
}

describe('locateTool', () => {
  it('prefers the folder that was named, then what set-up built, then PATH', async () => {
    const onPath = program(join(base, 'bin', 'nats-server'), 'nats-server: v2.14.6')
    expect(await locateTool('nats-server', environment())).toEqual({
      path: onPath,
      version: '2.14.6',
      from: 'path',
    })
    const built = program(cached(), 'is not asked')
    expect(await locateTool('nats-server', environment())).toMatchObject({ path: built })
    const named = program(join(base, 'named', 'nats-server'), 'is not asked')
    const toolsFolder = join(base, 'named')
    expect(await locateTool('nats-server', environment({ toolsFolder }))).toMatchObject({
      path: named,
      version: '2.14.5',
    })
  })

  it('refuses a program on PATH below the security floor, or that says nothing', async () => {
    const path = join(base, 'bin', 'nats-server')
    for (const says of ['nats-server: v2.14.2', 'nats-server: v2.9.10', 'hello']) {
      program(path, says)
      await expect(locateTool('nats-server', environment())).rejects.toMatchObject({
        code: 'TOOL_UNFIT',
      })
    }
    program(path, 'nats-server: v2.14.3')
    expect(await locateTool('nats-server', environment())).toMatchObject({ version: '2.14.3' })
  })

  it('says what to type when a program is nowhere', async () => {
    await expect(locateTool('temporal', environment())).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      next: 'npm run setup',
    })
  })
})

describe('locateRuntime', () => {
  it('says what to install when there is no sandbox runtime', () => {
    expect(() => locateRuntime(environment())).toThrow(
      expect.objectContaining({
        code: 'SANDBOX_MISSING',
        next: expect.stringContaining('apt-get install runc'),
      }),
    )
  })
})

describe('compareVersions', () => {
  it.each([
    ['2.14.3', '2.14.3', 0],
    ['2.9.10', '2.14.3', -1],
    ['2.14.10', '2.14.9', 1],
    ['3.0.0', '2.99.99', 1],
  ] as const)('compares %s with %s by number, not by letter', (left, right, sign) => {
    expect(Math.sign(compareVersions(left, right))).toBe(sign)
  })
})
