// The pinned third-party servers: each a small Go module in tools/<name>, built once per user and
// version. The module's go.sum pins every byte; the key of the cache contains its digest.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { cacheFolder, digestOfFiles, root, SetupError } from './cache.mjs'
import { run, withProgress } from './progress.mjs'

const programs = {
  temporal: {
    module: 'github.com/temporalio/cli',
    package: 'github.com/temporalio/cli/cmd/temporal',
    versionVariable: 'github.com/temporalio/cli/internal/temporalcli.Version',
  },
  'nats-server': {
    module: 'github.com/nats-io/nats-server/v2',
    package: 'github.com/nats-io/nats-server/v2',
  },
}

/** Where the built program lies, whether or not it has been built. */
export function programFile(name) {
  const folder = join(root, 'tools', name)
  const { module } = programs[name]
  const requirement = new RegExp(
    `^\\s*(?:require )?${module.replaceAll(/[./]/g, '\\$&')} v(\\S+)`,
    'm',
  )
  const version = requirement.exec(readFileSync(join(folder, 'go.mod'), 'utf8'))?.[1]
  if (version === undefined) throw new Error(`tools/${name}/go.mod does not require ${module}`)
  const key = `${version}-${digestOfFiles(join(folder, 'go.sum'))}`
  return { file: join(cacheFolder(), 'tools', name, key, name), version }
}

function goEnvironment() {
  const environment = { ...process.env, CGO_ENABLED: '0' }
  // Go refuses to work without a home for its caches; a service account may have none set.
  if (!environment.HOME) environment.HOME = homedir()
  return environment
}

async function build(name) {
  const { file, version } = programFile(name)
  if (existsSync(file)) return
  if (spawnSync('go', ['version']).status !== 0) {
    throw new SetupError(
      `Go is needed to build ${name} ${version} and is not on PATH`,
      process.platform === 'darwin'
        ? 'brew install go'
        : 'install Go 1.21 or newer (https://go.dev/doc/install), then: npm run setup',
    )
  }
  const { package: path, versionVariable } = programs[name]
  const stamp = versionVariable === undefined ? '' : ` -X ${versionVariable}=${version}`
  await withProgress(`building ${name} ${version} with Go`, async () => {
    mkdirSync(dirname(file), { recursive: true })
    const work = `${file}.${process.pid}`
    const flags = ['-trimpath', '-modcacherw', '-mod=readonly', `-ldflags=-s -w${stamp}`]
    await run('go', ['build', ...flags, '-o', work, path], {
      cwd: join(root, 'tools', name),
      env: goEnvironment(),
    })
    renameSync(work, file)
  })
}

/** Builds what is missing. The short build runs beside the long one: they share two cores well. */
export async function ensurePrograms() {
  await Promise.all(Object.keys(programs).map(build))
}
