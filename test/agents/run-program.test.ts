// What a handler gets of a program: its words as they are given, an empty environment, bounded output,
// its end with the action. Node stands in for the program; the sandbox around it is another matter.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { createProgramRunner } from '../../agents/run-program.ts'

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-run-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** For a busy machine. */
const waiting = { timeout: 20_000 }

const runner = createProgramRunner([
  { name: 'node', command: [process.execPath, '-e'], env: { OWN: 'place' } },
  { name: 'gone', command: [join(folder, 'not-there')], env: {} },
])
const signal = () => new AbortController().signal
const run = (script: string, more: object = {}, by: AbortSignal = signal()) =>
  runner({ program: 'node', args: [script], maxBytes: 10_000, ...more }, by)
const text = ({ stdout }: { stdout: Uint8Array }) => Buffer.from(stdout).toString()

it('passes the words as they are, without a shell', async () => {
  const hostile = ['$(id)', '; id', '`id`', '*', '"', 'two words', '']
  const words = ['console.log(JSON.stringify(process.argv.slice(1)))', '--', ...hostile]
  expect(JSON.parse(text(await run('', { args: words })))).toEqual(hostile)
})

it('gives an environment of what is asked for and what finds its libraries', async () => {
  const said = await run('console.log(JSON.stringify(process.env))', {
    env: { A: '1', OWN: 'mine' },
  })
  expect(JSON.parse(text(said))).toEqual({ A: '1', OWN: 'place' })
})

it('starts where it is told, with what it is given to read', async () => {
  const script = 'process.stdin.pipe(process.stdout); console.error(process.cwd())'
  const said = await run(script, { input: 'hello', cwd: folder })
  expect(text(said)).toBe('hello')
  expect(said.stderr.trim()).toBe(folder)
})

it.each([
  ['process.exit(3)', 3],
  ['process.kill(process.pid, "SIGTERM"); setInterval(() => 0, 1000)', 128 + 15],
])('tells how it ended: %s', async (script, code) => {
  expect(await run(script)).toMatchObject({ code })
})

it('does not wait for a program that does not read what it is given', async () => {
  expect(await run('process.exit(0)', { input: Buffer.alloc(4_000_000) })).toMatchObject({
    code: 0,
  })
})

it('ends it when it says more than it may', async () => {
  const script = 'for (;;) require("node:fs").writeSync(1, "x".repeat(1000))'
  await expect(run(script)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', retry: 'final' })
})

it('keeps the end of what it complains about', async () => {
  const said = await run('process.stderr.write("x".repeat(2_000_000) + "the reason")')
  expect(said.stderr.length).toBeLessThan(300_000)
  expect(said.stderr.endsWith('the reason')).toBe(true)
})

it('kills it with the action, and what it started too', async () => {
  const child = join(folder, 'child')
  const loop = 'setInterval(() => 0, 1000)'
  const script = `const { spawn } = require("node:child_process")
const child = spawn(process.execPath, ["-e", ${JSON.stringify(loop)}], { stdio: "ignore" })
require("node:fs").writeFileSync(${JSON.stringify(child)}, process.pid + " " + child.pid)
${loop}`
  const stop = new AbortController()
  const ended = run(script, {}, stop.signal)
  await vi.waitFor(
    () => expect(existsSync(child) && readFileSync(child, 'utf8')).toMatch(/ \d+$/),
    waiting,
  )
  stop.abort()
  await expect(ended).rejects.toMatchObject({ code: 'CANCELLED', retry: 'absent' })
  for (const pid of readFileSync(child, 'utf8').split(' ')) {
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), waiting)
  }
})

it('does not wait for what it started and left behind with its output open', async () => {
  const script = `require("node:child_process").spawn(process.execPath,
  ["-e", "setInterval(() => 0, 1000)"], { stdio: "inherit" }).unref()
console.log("done")`
  expect(text(await run(script)).trim()).toBe('done')
})

it('does not start one for an action that is over', async () => {
  await expect(run('0', {}, AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' })
})

it.each(['unknown', 'gone', '__proto__'])('has no program %s', async (program) => {
  await expect(run('0', { program })).rejects.toMatchObject({ code: 'UNAVAILABLE', retry: 'final' })
})

/** Neither gone nor a zombie that only waits to be collected. */
function isRunning(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
