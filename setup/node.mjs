// The Node that the project runs on: the system's where it is new enough, else the one of the
// `node` package, installed from its own lockfile into the per-user cache.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cacheFolder, digestOfFiles, root } from './cache.mjs'
import { removeOnExit, run, withProgress } from './progress.mjs'

const wantedMajor = 24

function cachedNode() {
  const lock = join(root, 'tools', 'node', 'package-lock.json')
  const { version } = JSON.parse(readFileSync(lock, 'utf8')).packages['node_modules/node']
  return join(
    cacheFolder(),
    'tools',
    'node',
    `${version}-${digestOfFiles(lock)}`,
    'node_modules',
    'node',
    'bin',
    'node',
  )
}

/** Path of a fit Node, or undefined when set-up has not run. */
export function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= wantedMajor) return process.execPath
  const cached = cachedNode()
  return existsSync(cached) ? cached : undefined
}

async function installNode() {
  const target = cachedNode()
  const folder = dirname(dirname(dirname(dirname(target))))
  await withProgress(
    `installing Node ${wantedMajor} (the system has ${process.versions.node})`,
    async () => {
      const work = `${folder}.${process.pid}`
      const keep = removeOnExit(work)
      try {
        mkdirSync(work, { recursive: true })
        for (const file of ['package.json', 'package-lock.json']) {
          cpSync(join(root, 'tools', 'node', file), join(work, file))
        }
        await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: work })
        const binary = join(work, 'node_modules', 'node', 'bin', 'node')
        if (spawnSync(binary, ['--version']).status !== 0) throw new Error(`${binary} does not run`)
        rmSync(folder, { recursive: true, force: true })
        renameSync(work, folder)
      } finally {
        rmSync(work, { recursive: true, force: true })
        keep()
      }
    },
  )
}

export const nodeJob = { isDone: () => findNode() !== undefined, make: installNode }
