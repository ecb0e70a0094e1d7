// What agents can reach, as one document: derived from manifests and configuration alone, and compared
// with what was accepted. That everything which enforces it agrees is test/integration/reach.test.ts.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import type { AgentManifest } from '../../plan/manifest.ts'
import { deriveAccounts } from '../../security/pki/accounts.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { openAcceptedReach } from '../../supervisor/accepted-reach.ts'
import { listReplicas } from '../../supervisor/pool.ts'
import { deriveReach, digestOfReach, growthOf, type Reach } from '../../supervisor/reach.ts'

interface House {
  /** Changes to the manifest of `feeds`. */
  readonly feeds?: Partial<AgentManifest>
  readonly values?: Readonly<Record<string, string>>
  readonly folder?: string
  readonly without?: string
}

function reachOf({ feeds = {}, values = {}, folder = '/home/me', without }: House = {}): Reach {
  const house = new Map(
    [...catalogue]
      .filter(([name]) => name !== without)
      .map(([name, manifest]) => [name, name === 'feeds' ? { ...manifest, ...feeds } : manifest]),
  )
  const set: Readonly<Record<string, string>> = {
    'feeds.origins': 'https://planet.example',
    ...values,
  }
  const replicas = listReplicas(house)
  return deriveReach({
    catalogue: house,
    settingsOf: () => ({ folder: (key) => join(folder, key), value: (key) => set[key] }),
    replicas,
    accounts: deriveAccounts(replicas, { gateway: true }),
  })
}

const feedsManifest = catalogue.get('feeds')
if (feedsManifest === undefined) throw new Error('no feeds')
const [mount] = feedsManifest.mounts
const [declaration] = feedsManifest.egress ?? []
if (mount === undefined || declaration === undefined) throw new Error('feeds reaches nothing')

describe('the reach of an agent', () => {
  it('names its tokens, its account, its folders and its hosts', () => {
    expect(reachOf().agents).toHaveProperty(['feeds.0'])
    expect(reachOf().agents['feeds.0']).toMatchObject({
      token: {
        audience: 'agent:feeds.0',
        actions: Object.keys(feedsManifest.actions).map((name) => ({ name })),
      },
      bus: { account: 'agent_feeds_0', publish: ['evt'], subscribe: ['exec'] },
      mounts: [{ from: mount.from.config, folder: '/home/me/feeds.folder' }],
      egress: [{ id: declaration.id, origins: ['https://planet.example'] }],
    })
  })

  it('has one digest for one reach', () => {
    expect(digestOfReach(reachOf())).toBe(digestOfReach(reachOf()))
    expect(digestOfReach(reachOf({ folder: '/elsewhere' }))).not.toBe(digestOfReach(reachOf()))
  })
})

describe('growth', () => {
  const { actions } = feedsManifest
  const [first = ''] = Object.keys(actions)
  const renamed = { ...actions, erase: { ...actions[first], effect: 'irreversible' } }
  const cases: readonly (readonly [string, House, RegExp])[] = [
    [
      'another host',
      { values: { 'feeds.origins': 'https://planet.example,https://b.example' } },
      /b\.example/,
    ],
    ['another folder', { folder: '/elsewhere' }, /read \/elsewhere/],
    [
      'another folder beside it',
      { feeds: { mounts: [mount, { ...mount, at: '/data/more' }] } },
      /\/data\/more/,
    ],
    [
      'another action',
      { feeds: { actions: renamed as AgentManifest['actions'] } },
      /do erase as irreversible/,
    ],
    [
      'another method',
      { feeds: { egress: [{ ...declaration, allow: [{ methods: ['DELETE'], path: '/x' }] }] } },
      /DELETE/,
    ],
    [
      'private addresses',
      { feeds: { egress: [{ ...declaration, privateAddress: true }] } },
      /private address/,
    ],
    [
      'a credential',
      {
        feeds: {
          egress: [
            { ...declaration, credential: { as: 'bearer', secret: { config: 'feeds.key' } } },
          ],
        },
      },
      /with feeds\.key/,
    ],
    [
      'a secret',
      { feeds: { secrets: [{ name: 'k', from: { config: 'feeds.k' } }] } },
      /given feeds\.k/,
    ],
    [
      'a program',
      {
        feeds: { programs: [{ name: 'tool', from: { config: 'feeds.tool' }, kind: 'elf' }] },
        values: { 'feeds.tool': '/usr/bin/tool' },
      },
      /run \/usr\/bin\/tool as tool/,
    ],
    ['a second replica', { feeds: { replicas: 2 } }, /do /],
  ]

  it.each(cases)('is seen when there is %s, in words', (_name, house, words) => {
    const grown = [...growthOf(reachOf(), reachOf(house))]
    expect(
      grown.some(([name, lines]) => name.startsWith('feeds.') && words.test(lines.join('\n'))),
    ).toBe(true)
  })

  it.each(cases)('is not seen the other way round: less than %s', (name, house) => {
    // A folder elsewhere is other reach, not less.
    const grown = growthOf(reachOf(house), reachOf())
    expect([...grown.keys()].filter((one) => one.startsWith('feeds.'))).toEqual(
      name === 'another folder' ? ['feeds.0'] : name === 'another method' ? ['feeds.0'] : [],
    )
  })

  it('is all of an agent that is new', () => {
    expect([...growthOf(reachOf({ without: 'notes' }), reachOf()).keys()]).toEqual(['notes.0'])
    expect(growthOf(reachOf(), reachOf({ without: 'notes' })).size).toBe(0)
  })
})

describe('what the owner accepted', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bulkhead-reach-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  const files = () => ({ current: join(folder, 'reach.json'), accepted: join(folder, 'ok.json') })
  const more = () =>
    reachOf({ values: { 'feeds.origins': 'https://planet.example,https://b.example' } })
  const feeds = { agent: 'feeds', n: 0 }

  it('is what holds at the first start, kept as the bytes whose digest is told', () => {
    const reach = openAcceptedReach(files(), reachOf())
    expect(reach.growth().size).toBe(0)
    expect(readFileSync(files().current, 'utf8')).toBe(canonicalJson(reachOf()))
  })

  it('keeps a replica from starting that can reach more, and no other', () => {
    openAcceptedReach(files(), reachOf())
    for (let start = 0; start < 2; start += 1) {
      const reach = openAcceptedReach(files(), more())
      expect(reach.barred(feeds)).toMatchObject({
        code: 'REACH_NOT_ACCEPTED',
        next: 'npx bulkhead agents accept-reach',
      })
      expect(reach.barred({ agent: 'notes', n: 0 })).toBeUndefined()
    }
    const reach = openAcceptedReach(files(), more())
    expect([...reach.accept().keys()]).toEqual(['feeds.0'])
    expect(reach.barred(feeds)).toBeUndefined()
    expect(openAcceptedReach(files(), more()).barred(feeds)).toBeUndefined()
  })

  it('must be given again for what was given up', () => {
    openAcceptedReach(files(), more())
    expect(openAcceptedReach(files(), reachOf()).barred(feeds)).toBeUndefined()
    expect(openAcceptedReach(files(), more()).barred(feeds)).toMatchObject({
      code: 'REACH_NOT_ACCEPTED',
    })
  })

  it('was written without programs before there were any', () => {
    openAcceptedReach(files(), reachOf())
    const text = readFileSync(files().accepted, 'utf8')
    writeFileSync(
      files().accepted,
      text.replaceAll(',"programs":[]', '').replaceAll('"programs":[],', ''),
    )
    expect(readFileSync(files().accepted, 'utf8')).not.toContain('programs')
    expect(openAcceptedReach(files(), reachOf()).growth().size).toBe(0)
  })

  it('is not guessed where it cannot be read', () => {
    writeFileSync(files().accepted, '{"version":1}')
    expect(() => openAcceptedReach(files(), reachOf())).toThrow('does not say what was accepted')
  })

  it('is told to the notary by its digest', async () => {
    const told: unknown[] = []
    const event = async (call: unknown) => void told.push(call)
    const refused = () => Promise.reject(new Error('not asked'))
    await openAcceptedReach(files(), reachOf()).tell({ event, boot: refused, quarantine: refused })
    const summary = { event: 'reach', digest: digestOfReach(reachOf()), grown: 0 }
    expect(told).toEqual([{ kind: 'security', subject: 'reach', summary }])
  })
})
