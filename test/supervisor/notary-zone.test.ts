// The zone of plans' times, on its way from `bulkhead.yaml` to the notary.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ConfigError, readNotaryConfig } from '../../notary/config.ts'
import { nobody } from '../../plan/principals.ts'
import { notaryConfig } from '../../supervisor/servers.ts'
import { stateLayout } from '../../supervisor/state.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-zone-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function read(zone?: string) {
  const config = notaryConfig(stateLayout(folder), {
    ...{ deployment: 'testtest', names: nobody, catalogue: new Map(), slots: {} },
    zone,
  })
  const file = join(folder, 'config.json')
  writeFileSync(file, JSON.stringify(config))
  return readNotaryConfig(['--config', file])
}

it('is what the file says, and left to the notary where it says nothing', () => {
  expect(read('Europe/Vienna').zone).toBe('Europe/Vienna')
  expect(read().zone).toBeUndefined()
})

it('is refused where there is none of that name', () => {
  expect(() => read('Mars/Base')).toThrow(ConfigError)
})
