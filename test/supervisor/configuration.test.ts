// What a deployment gets that is set, and what one gets that sets nothing.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { manifest as model } from '../../agents/model/manifest.ts'
import { manifest as notes } from '../../agents/notes/manifest.ts'
import { type Catalogue, createCatalogue } from '../../plan/manifest.ts'
import { loadConfiguration } from '../../supervisor/configuration.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-configuration-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function load(text: string, catalogue: Catalogue = new Map()) {
  const file = join(folder, 'bulkhead.yaml')
  writeFileSync(file, text)
  return loadConfiguration(file, catalogue)
}

describe('the fast lane', () => {
  it('is taken unless it says otherwise', () => {
    expect(load('timezone: UTC\n').fastLane).toBe(true)
    expect(load('fastLane: true\n').fastLane).toBe(true)
    expect(load('fastLane: false\n').fastLane).toBe(false)
  })
})

describe('a model of embeddings', () => {
  const models = createCatalogue([model])
  const local = 'agents: { model: { local: "http://127.0.0.1:11434" } }\n'

  it('is one of the house, which has to be set up', () => {
    const wanted = 'embeddings: nomic-embed-text\n'
    expect(load(local, models).embeddings).toBeUndefined()
    expect(load(`${local}${wanted}`, models).embeddings).toBe('nomic-embed-text')
    expect(() => load(wanted, models)).toThrow(
      /bulkhead\.yaml:1: embeddings: .*agents\.model\.local/,
    )
    const cloud = 'agents: { model: { openai: "https://api.openai.com" } }\n'
    expect(() => load(`${cloud}${wanted}`, models)).toThrow(/bulkhead\.yaml:2: embeddings/)
  })
})

describe('a planner', () => {
  const models = createCatalogue([model, notes])
  const local = 'agents: { model: { local: "http://127.0.0.1:11434" } }\n'
  const planner = (one: string) => `planner:\n  models:\n    - ${one}\n`
  const own = '{ provider: local, model: qwen3:8b, maxMicroUsd: 0 }'

  it('is none unless models are named', () => {
    expect(load(local, models).planner).toBeUndefined()
    expect(load(`${local}${planner(own)}`, models).planner).toEqual([
      { provider: 'local', model: 'qwen3:8b', maxMicroUsd: 0, maxOutputTokens: 4_000 },
    ])
  })

  it.each([
    [planner(own), 'agents.model.local is not set'],
    [`${local}${planner(own.replace('local', 'oracle'))}`, 'oracle/qwen3:8b: provider'],
    [`${local}${planner(own.replace('qwen3:8b', '"a model"'))}`, 'local/a model: model'],
    [`${local}${planner(own.replace(': 0', ': 0, maxOutputTokens: 99000'))}`, 'maxOutputTokens'],
    [`${local}planner: { models: [] }\n`, 'planner.models'],
    [`${local}planner: { modles: [] }\n`, 'did you mean models?'],
    [`${local}${planner(own.replace('maxMicroUsd', 'maxUsd'))}`, 'maxUsd is not a setting'],
  ])('is refused where nothing could be asked: %j', (text, said) => {
    expect(() => load(text, models)).toThrow(said)
  })

  it('takes an agent of models', () => {
    expect(() => load(planner(own))).toThrow('there is no agent model')
  })
})
