// `init` writes a configuration that is one, whatever was typed, and replaces nothing; `agents connect` looks
// at what settings name and shows no secret.

import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { lookAtSetting } from '../../cli/agent-connection.ts'
import { agentsConnectCommand } from '../../cli/commands/agents-connect.ts'
import { initCommand } from '../../cli/commands/init.ts'
import { CommandError } from '../../cli/exit-codes.ts'
import { toConfigurationText } from '../../cli/init-text.ts'
import type { Output } from '../../cli/output.ts'
import { type AgentSetting, settingsOf } from '../../plan/agent-settings.ts'
import { parseConfiguration } from '../../plan/configuration.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-init-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const known = [...catalogue.values()].flatMap((manifest) =>
  settingsOf(manifest).map(({ name }) => `${manifest.name}.${name}`),
)

/** What a command says, on both streams. */
function listener(): { readonly output: Output; said(): string } {
  const lines: string[] = []
  const output: Output = {
    json: false,
    data: (_document, human) => lines.push(...human()),
    rows: (documents, human) => lines.push(...documents.map(human)),
    line: (document) => lines.push(JSON.stringify(document)),
    talk: (line) => lines.push(line),
    problem: (message, next) => lines.push(message, next ?? ''),
  }
  return { output, said: () => lines.join('\n') }
}

function agentsIn(text: string): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const parsed = parseConfiguration(text, 'bulkhead.yaml', known)
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('; '))
  return parsed.configuration.agents ?? {}
}

describe('the text', () => {
  test('is a configuration that sets nothing but the time zone', () => {
    const text = toConfigurationText(catalogue, { timeZone: 'Europe/Vienna', values: new Map() })
    expect(agentsIn(text)).toEqual({})
    expect(text).toContain('timezone: "Europe/Vienna"')
  })

  test('uncommented, has every setting of every agent', () => {
    const text = toConfigurationText(catalogue, { timeZone: 'UTC', values: new Map() })
    const settings = text
      .slice(text.indexOf('# agents:'))
      .replaceAll(/^( *)# (?=agents:|[a-z-]+:$)/gm, '$1')
    const agents = agentsIn(settings.replaceAll(/^ {2}# {3}(?=[A-Za-z]+: )/gm, '    '))
    const found = Object.entries(agents).flatMap(([agent, values]) =>
      Object.keys(values).map((name) => `${agent}.${name}`),
    )
    expect(new Set(found)).toEqual(new Set(known))
  })

  test('keeps every answer to the letter and is a configuration with it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), (typed) => {
        const value = typed.toWellFormed()
        const values = new Map([['notes.folder', value]])
        const text = toConfigurationText(catalogue, { timeZone: 'UTC', values })
        expect(agentsIn(text)).toEqual({ notes: { folder: value } })
      }),
    )
  })
})

describe('init', () => {
  test('asks nothing without a terminal, and keeps the file to its owner', async () => {
    const config = join(folder, 'bulkhead.yaml')
    expect(await initCommand(listener().output, { config, ask: undefined })).toBe(0)
    expect(agentsIn(readFileSync(config, 'utf8'))).toEqual({})
    expect(statSync(config).mode & 0o777).toBe(0o600)
  })

  test('says what most people have run regularly, and the command for it', async () => {
    const { output, said } = listener()
    await initCommand(output, { config: join(folder, 'bulkhead.yaml'), ask: undefined })
    expect(said()).toMatch(/npx bulkhead schedule add <one of .*morning-briefing.*weekly-spending>/)
    expect(said()).not.toContain('remind-me')
  })

  test('replaces nothing', async () => {
    const config = join(folder, 'bulkhead.yaml')
    writeFileSync(config, 'mine')
    const call = initCommand(listener().output, { config, ask: undefined })
    await expect(call).rejects.toThrow(CommandError)
    expect(readFileSync(config, 'utf8')).toBe('mine')
  })

  test('writes what was typed at the terminal, and leaves out what was not', async () => {
    const config = join(folder, 'bulkhead.yaml')
    const ask = async (question: string) =>
      question.includes('folder of notes') ? ' ~/my notes ' : ''
    await initCommand(listener().output, { config, ask })
    expect(agentsIn(readFileSync(config, 'utf8'))).toEqual({
      notes: { folder: join(homedir(), 'my notes') },
    })
  })
})

describe('what a setting names', () => {
  const setting = (kind: AgentSetting['kind']): AgentSetting => {
    return { name: 'x', kind, use: '', example: '' }
  }
  const look = (kind: AgentSetting['kind'], value: string) =>
    lookAtSetting(setting(kind), value, join(folder, 'bulkhead.yaml'))

  test('a folder, relative to the file', async () => {
    expect(await look('folder', '.')).toMatchObject({ ok: true })
    expect(await look('folder', 'nowhere')).toMatchObject({ ok: false })
    writeFileSync(join(folder, 'file'), '')
    expect(await look('folder', 'file')).toMatchObject({ ok: false })
  })

  test('servers: each of them must take a connection', async () => {
    const server = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    expect(await look('origins', origin)).toMatchObject({ ok: true })
    await new Promise((resolve) => server.close(resolve))
    expect(await look('origins', origin)).toMatchObject({ ok: false })
    expect(await look('origins', `${origin}/path`)).toMatchObject({ ok: false })
  })

  test('a secret: a file that only its owner reads, and never its value', async () => {
    const file = join(folder, 'secret')
    writeFileSync(file, 'hunter2', { mode: 0o600 })
    expect(await look('secret', 'file://secret')).toMatchObject({ ok: true })
    chmodSync(file, 0o644)
    expect(await look('secret', 'file://secret')).toMatchObject({ ok: false })
    expect(JSON.stringify(await look('secret', 'hunter2'))).not.toContain('hunter2')
  })

  test('a program: an absolute path that can be started', async () => {
    expect(await look('program', process.execPath)).toMatchObject({ ok: true })
    expect(await look('program', 'node')).toMatchObject({ ok: false })
    expect(await look('program', folder)).toMatchObject({ ok: false })
  })
})

describe('agents connect', () => {
  const config = () => join(folder, 'bulkhead.yaml')

  test('takes what the file says, and what is given in its place', async () => {
    writeFileSync(config(), 'agents: { notes: { folder: nowhere } }\n')
    const first = listener()
    expect(
      await agentsConnectCommand(first.output, 'notes', {
        state: folder,
        config: config(),
        set: [],
      }),
    ).toBe(1)
    expect(first.said()).toContain('is not there')
    const second = listener()
    const set = ['folder=.']
    expect(
      await agentsConnectCommand(second.output, 'notes', { state: folder, config: config(), set }),
    ).toBe(0)
    expect(second.said()).toContain('    folder: "."')
  })

  test('shows nobody what was written in place of a reference', async () => {
    const { output, said } = listener()
    const set = ['credential=hunter2']
    expect(
      await agentsConnectCommand(output, 'calendar', { state: folder, config: config(), set }),
    ).toBe(1)
    expect(said()).not.toContain('hunter2')
  })

  test.each([
    ['no such agent', 'calender', []],
    ['no such setting', 'notes', ['folders=.']],
    ['no value', 'notes', ['folder']],
  ])('%s is a mistake of usage', async (_what, name, set) => {
    const call = agentsConnectCommand(listener().output, name, {
      state: folder,
      config: config(),
      set,
    })
    await expect(call).rejects.toMatchObject({ exitCode: 2 })
  })
})
