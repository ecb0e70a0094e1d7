// Whether the programs that an agent may run are there, as `agents show` says it.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { manifest } from '../../agents/backup/manifest.ts'
import { programStates } from '../../supervisor/program-states.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-programs-'))
  for (const name of ['restic', 'plain']) writeFileSync(join(folder, name), '#!/bin/sh\n')
  chmodSync(join(folder, 'restic'), 0o755)
  chmodSync(join(folder, 'plain'), 0o644)
  mkdirSync(join(folder, 'folder'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const stateOf = (file: string | undefined) => {
  const value = (name: string) =>
    name === 'backup.restic' && file !== undefined ? join(folder, file) : undefined
  return programStates(manifest, { value })
}

test('a program that can be started is found, and one that is not set is no mistake', () => {
  expect(stateOf('restic')).toEqual([
    { name: 'restic', setting: 'backup.restic', path: join(folder, 'restic'), state: 'found' },
    { name: 'borg', setting: 'backup.borg', path: null, state: 'not set' },
  ])
})

test.each(['nothing', 'plain', 'folder'])('what cannot be started is missing: %s', (file) => {
  expect(stateOf(file)[0]).toMatchObject({ path: join(folder, file), state: 'missing' })
})

test('an agent without programs has none', () => {
  expect(programStates({}, { value: () => undefined })).toEqual([])
})
