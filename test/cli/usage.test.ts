// Mistakes that the command finds by itself, without a platform: told on standard error, with what
// was probably meant, exit code 2 (1 where a plan was read and refused), nothing on standard output.

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { runCli } from '../support/cli.ts'

const nowhere = join(tmpdir(), 'bulkhead-no-such-state')

describe.concurrent('the command', () => {
  it.each<[number, RegExp, string]>([
    [2, /no recipe morning-brief \(did you mean morning-briefing\?\)/, 'run morning-brief'],
    [2, /no recipe __proto__/, 'run __proto__'],
    [2, /unknown command 'statsu'\s+\(Did you mean status\?\)/, 'statsu'],
    [2, /unknown command 'lst'\s+\(Did you mean list\?\)/, 'runs lst'],
    [2, /unknown option '--limt'\s+\(Did you mean --limit\?\)/, 'audit tail --limt 3'],
    [2, /no kind of row intend \(did you mean intent\?\)/, 'audit query --kind intend'],
    [2, /a whole number/, 'audit tail --limit 0'],
    [2, /nothing lies from 1d until 2d.*\n.*audit report/, 'audit report --since 1d --until 2d'],
    [2, /--key is for an export/, 'audit report --key audit-key.json'],
    [2, /number of a replica/, 'agents quarantine notes --replica all'],
    [2, /a time such as 60s/, 'keys rotate token --overlap soon'],
    [2, /unknown command 'rotat'\s+\(Did you mean rotate\?\)/, 'keys rotat token'],
    [2, /missing required argument/, 'keys rotate'],
    [2, /unknown command 'triger'\s+\(Did you mean trigger\?\)/, 'schedule triger briefing'],
    [2, /say when: one of --cron/, 'schedule add morning-briefing --days mon'],
    [2, /did you mean morning-briefing/, 'schedule add morning-brief --id b --at 07:00'],
    [2, /one of --cron, --every and --at/, 'schedule add remind-me --id b'],
    [2, /not an IANA time zone/, 'schedule add morning-briefing --id b --at 07:00 --zone Mars'],
    [2, /Allowed choices are/, 'schedule add morning-briefing --id b --at 07:00 --overlap both'],
    [2, /--catch-up is from/, 'schedule add morning-briefing --id b --at 07:00 --catch-up 5s'],
    [2, /--id has 1 to 40/, 'schedule add morning-briefing --id B! --at 07:00'],
    [1, /no input dya/, 'schedule add morning-briefing --id b --at 07:00 --input dya=1'],
    [2, /a whole number from 1/, 'schedule show b --limit 0'],
    [2, /not-there\.yaml cannot be read/, 'run not-there.yaml'],
    [2, /not name=value/, 'run morning-briefing --input day'],
    [2, /names an input twice/, 'plan check morning-briefing --input work=a --input work=b'],
    [2, /neither a time nor how long/, 'run morning-briefing --deadline soon'],
    [2, /is no amount.*\n.*--max-usd 0\.05/, 'ask hello --max-usd much'],
    [2, /a request id has/, 'run morning-briefing --request-id No!'],
    [2, /missing required argument/, 'run'],
    [2, /no agent calender \(did you mean calendar\?\)/, 'agent check calender'],
    [2, /a name has small letters/, 'agent new ../evil'],
    [2, /a whole number up to/, 'agent check notes --draws 0x10'],
    [2, /no agent note \(did you mean notes\?\)/, 'agents connect note'],
    [2, /Usage: bulkhead runs/, 'runs'],
    [2, /not a folder with rules/, 'policy check not-there'],
    [2, /missing required argument/, 'policy explain some-run'],
    [1, /no input dya.*\n.*did you mean day/, 'run morning-briefing --input dya=1'],
    [1, /INVALID_ARGUMENT \/inputs\/day/, 'run morning-briefing --input day=someday'],
  ])('exits with %i and says %s: %s', async (exitCode, pattern, line) => {
    const { code, stdout, stderr } = await runCli(line.split(' '), {
      env: { BULKHEAD_STATE: nowhere },
    })
    expect(stderr).toMatch(pattern)
    // A stack is for bugs.
    expect(stderr).not.toMatch(/^ {4}at /m)
    expect(code).toBe(exitCode)
    expect(stdout).toBe('')
  })

  it.each([
    'up',
    'run',
    'runs show',
    'plan check',
    'agents show',
    'agents quarantine',
    'agents restore',
    'agents connect',
    'agent check',
    'agent new',
    'agent docs',
    'init',
    'state backups',
    'state restore',
    'audit verify',
    'audit report',
    'keys list',
    'keys rotate',
    'schedule add',
    'schedule show',
    'schedule backfill',
  ])('has examples in the help of %s', async (command) => {
    const { code, stdout } = await runCli([...command.split(' '), '--help'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/Examples:\n {2}npx bulkhead /)
  })

  it('gives a reader that takes its time the whole of a long document', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-long-'))
    const ids = Array.from({ length: 1000 }, (_, index) => `write-down-the-words-no-${index}`)
    const steps = ids.map(
      (id) => `  - { id: ${id}, agent: notes, action: append, args: { note: n, text: words } }`,
    )
    const plan = ['version: 1', 'goal: much', 'steps:', ...steps, `answer: { from: [${ids[0]}] }`]
    writeFileSync(join(folder, 'plan.yaml'), plan.join('\n'))
    // More than the 64 KiB that a pipe holds, so that its end is written while it is being read.
    const line = '"$NODE" cli/main.ts plan check "$PLAN" --json | { sleep 1; cat; }'
    const env = { PLAN: join(folder, 'plan.yaml'), NODE: process.execPath, BULKHEAD_STATE: nowhere }
    const { stdout } = await promisify(execFile)('sh', ['-c', line], {
      cwd: join(import.meta.dirname, '..', '..'),
      env: { ...process.env, ...env },
    })
    rmSync(folder, { recursive: true })
    expect(stdout.length).toBeGreaterThan(65_536)
    expect(JSON.parse(stdout)).toMatchObject({ ok: true })
  })

  it('says nothing but the exit codes and examples when asked for help', async () => {
    const { code, stdout, stderr } = await runCli(['--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('Exit codes: 0 completed, 1 failed, 2 usage, 3 denied')
    expect(stderr).toBe('')
  })
})
