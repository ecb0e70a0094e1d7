// Whose replicas are which: kept over starts and removals, and what each replica is given of the settings.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { gatewayConfigSchema } from '../../egress/contract.ts'
import { limits } from '../../plan/limits.ts'
import type { AgentManifest } from '../../plan/manifest.ts'
import { SupervisorError } from '../../supervisor/codes.ts'
import { grantedFolders, loadConfiguration } from '../../supervisor/configuration.ts'
import { prepareGateway } from '../../supervisor/egress.ts'
import { claimSlots, createWhose, readSlots } from '../../supervisor/slots.ts'
import { stateLayout } from '../../supervisor/state.ts'
import { manifest as bare, testEgress } from '../support/test-agent/manifest.ts'

let state: string
let file: string
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-slots-'))
  file = join(state, 'slots.json')
})
afterEach(() => rmSync(state, { recursive: true }))

describe('slots', () => {
  it('are of whoever is here, and stay a name’s also when it is gone', () => {
    expect(claimSlots(file, [])).toEqual({ owner: 0 })
    expect(claimSlots(file, ['anna', 'ben'])).toEqual({ owner: 0, anna: 1, ben: 2 })
    expect(claimSlots(file, ['ben'])).toEqual({ owner: 0, ben: 2 })
    expect(claimSlots(file, ['ben', 'zoe'])).toEqual({ owner: 0, ben: 2, zoe: 3 })
    expect(claimSlots(file, ['anna'])).toEqual({ owner: 0, anna: 1 })
    expect(readSlots(file)).toEqual({ owner: 0, anna: 1, ben: 2, zoe: 3 })
  })

  it.each(['', '{', '[]', '{"owner":0,"anna":0}', '{"Anna":1}'])(
    'are not guessed from %j',
    (text) => {
      writeFileSync(file, text)
      expect(() => claimSlots(file, ['anna'])).toThrow(SupervisorError)
      expect(readFileSync(file, 'utf8')).toBe(text)
    },
  )
})

describe('the settings of a replica', () => {
  const manifest: AgentManifest = { ...bare, perUser: true, egress: testEgress }
  const catalogue = new Map([['test', manifest]])
  const [owners, annas, bens] = [0, 1, 2].map((slot) => ({
    agent: 'test',
    n: slot * limits.replicas,
  }))
  const slots = { owner: 0, anna: 1, ben: 2 }
  const load = (yaml: string) => {
    const config = join(state, 'bulkhead.yaml')
    writeFileSync(config, yaml)
    return loadConfiguration(config, catalogue)
  }
  const both = `
agents: { test: { folder: mine, server: "https://mine.example", secret: "env://MINE" } }
users: { anna: { agents: { test: { folder: hers, server: "https://hers.example", secret: "env://HERS" } } } }
`
  beforeEach(() => {
    for (const name of ['mine', 'hers']) mkdirSync(join(state, name))
  })

  it('are those of whose it is, and never another’s', () => {
    const { settingsOf, personOf } = createWhose(slots, { catalogue, configuration: load(both) })
    const granted = (address = { agent: 'test', n: -1 }) =>
      grantedFolders(manifest, settingsOf(address))
    expect(granted(owners)).toMatchObject([{ source: join(state, 'mine') }])
    expect(granted(annas)).toMatchObject([{ source: join(state, 'hers') }])
    expect(() => granted(bens)).toThrow(
      expect.objectContaining({
        code: 'NOT_CONFIGURED',
        next: expect.stringContaining('users.ben.agents'),
      }),
    )
    expect([owners, annas, bens].map((one) => one && personOf(one))).toEqual([
      'owner',
      'anna',
      'ben',
    ])
  })

  it('are the gateway’s too: hosts and credentials of one replica are not those of the next', () => {
    const { settingsOf } = createWhose(slots, { catalogue, configuration: load(both) })
    const { agents } = gatewayConfigSchema.parse(
      prepareGateway({
        layout: stateLayout(state),
        deployment: 'abcd1234',
        gateway: undefined,
        ...{ catalogue, settingsOf },
        replicas: [owners, annas, bens].flatMap((one) => one ?? []),
        sockets: join(state, 'run'),
        secrets: { folder: state, variable: (name) => `secret of ${name}` },
      }),
    )
    const told = agents.map(({ egress: [first] }) => {
      const secret = first?.credential?.file ?? ''
      return [first?.origins, secret]
    })
    expect(told.map(([origins]) => origins)).toEqual([
      ['https://mine.example'],
      ['https://hers.example'],
      [],
    ])
    const [mine, hers, none] = told.map(([, path]) => String(path))
    expect(readFileSync(mine ?? '', 'utf8')).toBe('secret of MINE')
    expect(readFileSync(hers ?? '', 'utf8')).toBe('secret of HERS')
    expect(() => readFileSync(none ?? '')).toThrow('ENOENT')
  })

  it.each([
    [
      'the owner’s in the wrong place',
      'users: { owner: { agents: { test: { folder: mine } } } }',
      'below agents',
    ],
    [
      'an agent that is everybody’s',
      'users: { anna: { agents: { weather: { x: y } } } }',
      'one’s own',
    ],
    [
      'a setting that is none',
      'users: { anna: { agents: { test: { fodler: hers } } } }',
      'not a setting',
    ],
    [
      'a folder that is none',
      'users: { anna: { agents: { test: { folder: gone } } } }',
      'not a folder',
    ],
    ['something else of a person', 'users: { anna: { agnets: {} } }', 'did you mean agents?'],
  ])('are refused for %s, with the line', (_name, yaml, message) => {
    expect(() => load(yaml)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(
          new RegExp(`bulkhead.yaml:1: .*${message.replace('’', '.')}`),
        ),
      }),
    )
  })
})
