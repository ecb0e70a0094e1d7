// The sandbox runtime comes from the system. As root with apt it is installed, and that is said;
// otherwise the one command is printed.

import { spawnSync } from 'node:child_process'
import { SetupError } from './cache.mjs'
import { run, withProgress } from './progress.mjs'

const has = (command, ...args) => spawnSync(command, args).status === 0

export async function ensureSandboxRuntime() {
  if (process.platform !== 'linux') {
    throw new SetupError(
      'the sandbox of this release needs Linux and runc; the Docker driver for macOS is not built yet',
      'run it on a Linux machine or in a Linux virtual machine',
    )
  }
  if (has('runc', '--version')) return
  const command = 'apt-get install -y runc'
  if (process.getuid?.() !== 0 || !has('apt-get', '--version')) {
    throw new SetupError(
      'runc is not installed; without it no agent can be confined, so nothing is started',
      process.getuid?.() === 0
        ? 'install the package runc, then: npm run setup'
        : `sudo ${command}`,
    )
  }
  await withProgress(`installing the sandbox runtime (${command})`, async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    await run('apt-get', ['update', '-qq'], { env })
    await run('apt-get', ['install', '-y', '-qq', 'runc'], { env })
  })
}
