// The sandbox runtime comes from the system. As root with apt it is installed, and that is said;
// otherwise the one command is printed.

import { spawnSync } from 'node:child_process'
import { delimiter } from 'node:path'
import { SetupError } from './cache.mjs'
import { run, withProgress } from './progress.mjs'

// An ordinary user's PATH often lacks the sbin folders, where distributions put runc.
const env = {
  ...process.env,
  PATH: [process.env.PATH ?? '', '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter),
}
const has = (command, ...args) => spawnSync(command, args, { env }).status === 0
const isRoot = process.getuid?.() === 0

export async function ensureSandboxRuntime() {
  if (process.platform !== 'linux') {
    throw new SetupError(
      'the sandbox of this release needs Linux and runc; the Docker driver for macOS is not built yet',
      'run it on a Linux machine or in a Linux virtual machine',
    )
  }
  if (has('runc', '--version')) return
  const command = 'apt-get install -y runc'
  const hasApt = has('apt-get', '--version')
  if (!isRoot || !hasApt) {
    throw new SetupError(
      'runc is not installed; without it no agent can be confined, so nothing is started',
      hasApt
        ? `sudo ${command}`
        : 'install the package runc (dnf, pacman, apk and zypper have it), then: npm run setup',
    )
  }
  await withProgress(`installing the sandbox runtime (${command})`, async () => {
    const quiet = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } }
    await run('apt-get', ['update', '-qq'], quiet)
    await run('apt-get', ['install', '-y', '-qq', 'runc'], quiet)
  })
}
