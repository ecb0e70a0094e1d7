// The pinned third-party programs: each a small Go module in tools/<name>, built once per user and
// version. The module's go.sum pins every byte; the key of the cache contains its digest. The servers
// are built by set-up; OPA when somebody works on policies (opa.mjs), because nothing that runs needs it.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { cacheFolder, digestOfFiles, root, SetupError } from './cache.mjs'
import { removeOnExit, run, withProgress } from './progress.mjs'

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
  opa: {
    module: 'github.com/open-policy-agent/opa',
    package: 'github.com/open-policy-agent/opa',
  },
}
const servers = ['temporal', 'nats-server']

/** From here on Go fetches the version that a module names by itself. */
const oldestGoMinor = 21

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

/** @throws SetupError when there is no Go that can fetch the one the modules ask for */
export function assertGo(what = 'Temporal and nats-server') {
  const { status, stdout } = spawnSync('go', ['version'], { encoding: 'utf8' })
  const minor = Number(/go1\.(\d+)/.exec(stdout ?? '')?.[1])
  if (status === 0 && !(minor < oldestGoMinor)) return
  throw new SetupError(
    status === 0
      ? `Go is too old to build ${what}: ${stdout.trim()}`
      : `Go is needed to build ${what}, and is not on PATH`,
    process.platform === 'darwin'
      ? 'brew install go, then: npm run setup'
      : `install Go 1.${oldestGoMinor} or newer (https://go.dev/doc/install), then: npm run setup`,
  )
}

async function build(name) {
  const { file, version } = programFile(name)
  const { package: path, versionVariable } = programs[name]
  const stamp = versionVariable === undefined ? '' : ` -X ${versionVariable}=${version}`
  await withProgress(`building ${name} ${version} with Go`, async () => {
    mkdirSync(dirname(file), { recursive: true })
    const work = `${file}.${process.pid}`
    const keep = removeOnExit(work)
    const flags = ['-trimpath', '-modcacherw', '-mod=readonly', `-ldflags=-s -w${stamp}`]
    try {
      await run('go', ['build', ...flags, '-o', work, path], {
        cwd: join(root, 'tools', name),
        env: goEnvironment(),
      })
      renameSync(work, file)
    } finally {
      rmSync(work, { force: true })
      keep()
    }
  })
}

/** One program as something that set-up can have to do. */
export function programJob(name) {
  return { isDone: () => existsSync(programFile(name).file), make: () => build(name) }
}

/** The short build runs beside the long one: they share two cores well. */
export const programJobs = servers.map(programJob)
