// What a manifest may ask of its sandbox: programs and limits. Secrets and storage are manifest.test.ts's.

import { expect, it } from 'vitest'
import { faultOfSandbox, type SandboxDeclaration } from '../../plan/sandbox-declaration.ts'

const tool = (name: string, config = 'backup.tool') =>
  ({ name, from: { config }, kind: 'elf' }) as const
const mebibyte = 1024 * 1024

it('is fine as an agent of ours asks it', () => {
  const programs = [tool('restic'), tool('borg')]
  const limits = { memoryBytes: 512 * mebibyte, pids: 128, fileBytes: 256 * mebibyte }
  expect(faultOfSandbox({ name: 'backup', programs, limits })).toBeUndefined()
})

it.each<[string, Partial<SandboxDeclaration>, string]>([
  ['two programs of one name', { programs: [tool('a'), tool('a')] }, 'two programs of one name'],
  ['a path for a name', { programs: [tool('../a')] }, 'is not a name for a program'],
  ["another agent's setting", { programs: [tool('a', 'notes.tool')] }, "another agent's program"],
  ['no setting', { programs: [tool('a', 'backup')] }, "another agent's program"],
  [
    'five programs',
    { programs: ['a', 'b', 'c', 'd', 'e'].map((n) => tool(n)) },
    'too many programs',
  ],
  ['no memory', { limits: { memoryBytes: 1 } }, 'memoryBytes'],
  ['all memory', { limits: { memoryBytes: 64 * 1024 * mebibyte } }, 'memoryBytes'],
  ['endless processes', { limits: { pids: Number.POSITIVE_INFINITY } }, 'pids'],
  ['half a process', { limits: { pids: 100.5 } }, 'pids'],
  ['negative files', { limits: { fileBytes: -1 } }, 'fileBytes'],
])('is refused with %s', (_what, declaration, fault) => {
  expect(faultOfSandbox({ name: 'backup', ...declaration })).toContain(fault)
})
