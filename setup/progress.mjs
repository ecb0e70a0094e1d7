// What a person sees while set-up works: a line when a job starts, one every fifteen seconds while
// it runs, and one when it ends. Everything goes to standard error: standard output belongs to the
// command that set-up precedes. Also what set-up leaves when it is stopped: no process, no half file.

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { cacheFolder, SetupError } from './cache.mjs'

const everyMs = 15_000
/** Go removes its temporary folders when it is interrupted; that takes a moment. */
const stopTimeoutMs = 5_000

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
    keepDuration(folder, file, tookMs)
    return result
  } finally {
    clearInterval(ticker)
  }
}

function keepDuration(folder, file, tookMs) {
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, String(tookMs))
  } catch {
    // Only a comfort of the next set-up: what was built is there.
  }
}

const children = new Set()
const scraps = new Set()

/** A file or folder to delete when set-up is stopped; call the result when it is whole. */
export function removeOnExit(path) {
  scraps.add(path)
  return () => scraps.delete(path)
}

/** Each job is a process group of its own, so that compilers end with it. */
function signalChildren(signal) {
  for (const child of children) {
    try {
      process.kill(-child.pid, signal)
    } catch {
      // It has just ended by itself.
    }
  }
}

/** Ends what is running; resolves when it has ended. */
export async function stopJobs() {
  signalChildren('SIGINT')
  for (let waited = 0; children.size > 0; waited += 50) {
    if (waited === stopTimeoutMs) signalChildren('SIGKILL')
    await delay(50)
  }
}

let isLeaving = false

/** For the program that is set-up; others only look things up here and stop in their own way. */
export function leaveOnSignals() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, async () => {
      // A terminal and npm may both pass the same Ctrl-C on.
      if (isLeaving) return
      isLeaving = true
      await stopJobs()
      for (const path of scraps) rmSync(path, { recursive: true, force: true })
      say('set-up: stopped; what was finished is kept')
      process.exit(signal === 'SIGINT' ? 130 : 143)
    })
  }
}

const diskFull = /ENOSPC|EDQUOT|no space left on device|disk quota exceeded/i

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
      const next = `install ${command}, then: npm run setup`
      reject(new SetupError(`${command} could not be started: ${error.message}`, next))
    })
    child.on('close', (code, signal) => {
      children.delete(child)
      // Its end is the stop's business then, not a failure to report.
      if (isLeaving) return
      if (code === 0) return resolve(output)
      const tail = output.trim().split('\n').slice(-25).join('\n')
      const next = diskFull.test(output) ? 'free some disk space, then: npm run setup' : undefined
      const message = `${command} ${args.join(' ')} ended with ${code ?? signal}:\n${tail}`
      reject(new SetupError(next === undefined ? message : `the disk is full\n${message}`, next))
    })
  })
}
