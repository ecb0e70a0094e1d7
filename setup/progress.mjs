// What a person sees while set-up works: a line when a job starts, one every fifteen seconds while
// it runs, and one when it ends. Everything goes to standard error: standard output belongs to the
// command that set-up precedes.

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, SetupError } from './cache.mjs'

const everyMs = 15_000

export function say(line) {
  process.stderr.write(`${line}\n`)
}

function duration(ms) {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** Runs `work`, telling how long it has taken and how long it took last time on this machine. */
export async function withProgress(name, work) {
  const folder = join(cacheFolder(), 'durations')
  const file = join(folder, `${name.replaceAll(/[^a-z0-9]+/gi, '-')}.txt`)
  const last = existsSync(file) ? `, last time ${duration(Number(readFileSync(file, 'utf8')))}` : ''
  const started = Date.now()
  say(`set-up: ${name} ...${last}`)
  const ticker = setInterval(
    () => say(`set-up: ${name}, ${duration(Date.now() - started)} so far${last}`),
    everyMs,
  )
  try {
    const result = await work()
    const tookMs = Date.now() - started
    say(`set-up: ${name}: done in ${duration(tookMs)}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, String(tookMs))
    return result
  } finally {
    clearInterval(ticker)
  }
}

const children = new Set()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // Each job is a process group of its own, so that compilers end with it.
    for (const child of children) {
      try {
        process.kill(-child.pid, 'SIGTERM')
      } catch {
        // It has just ended by itself.
      }
    }
    process.exit(signal === 'SIGINT' ? 130 : 143)
  })
}

/** Runs a program to its end; its output is kept and shown only when it fails. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      ...options,
    })
    children.add(child)
    let output = ''
    const keep = (chunk) => {
      output = (output + chunk).slice(-20_000)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) => {
      children.delete(child)
      reject(new SetupError(`${command} could not be started: ${error.message}`))
    })
    child.on('close', (code) => {
      children.delete(child)
      if (code === 0) return resolve(output)
      const tail = output.trim().split('\n').slice(-25).join('\n')
      reject(new SetupError(`${command} ${args.join(' ')} ended with ${code}:\n${tail}`))
    })
  })
}
