// A hostile bulkhead.yaml: nobody's but the owner's, and read by the supervisor; still it ends in problems
// that name a line, whatever is in it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { catalogue } from '../../../agents/catalogue.ts'
import { SupervisorError } from '../../../supervisor/codes.ts'
import { loadConfiguration } from '../../../supervisor/configuration.ts'
import { type HostileParser, megabytes, type Trial } from './trial.ts'

const loaded = (what: string, text: () => string | Uint8Array): Trial => ({
  ...{ what, ends: 'CONFIG_INVALID' },
  async run() {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-hostile-'))
    const file = join(folder, 'bulkhead.yaml')
    writeFileSync(file, text())
    try {
      loadConfiguration(file, catalogue)
      return { result: 'it was taken', bytes: 0 }
    } catch (error) {
      if (!(error instanceof SupervisorError)) throw error
      const { code, message } = error
      return message.length < 16_384 ? { code } : { code: `${message.length} characters` }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
})

const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${['b', 'c', 'd', 'e', 'f', 'g']
  .map((name, at) => `${name}: &${name} [${Array(10).fill(`*${'abcdefg'[at]}`).join(', ')}]`)
  .join('\n')}\n`

export const settings: HostileParser = {
  reads: 'bulkhead.yaml',
  cells: {
    entities: [loaded('of aliases', () => bomb)],
    gigantic: [
      loaded('a line', () => `timezone: ${megabytes(0.9)}\n`),
      loaded('a key', () => `${megabytes(0.9)}: 1\n`),
      loaded('a file', () => `# ${megabytes(2)}\n`),
    ],
    encoding: [
      loaded('UTF-16', () => Buffer.from('\ufefftimezone: UTC\n', 'utf16le')),
      loaded('control characters', () => 'timezone: "\u0000UTC"\n'),
    ],
    dates: [
      loaded(
        'quiet hours that are none',
        () => 'policy:\n  quiet: { from: "-1:00", to: "25:00" }\n',
      ),
    ],
    formula: [loaded('a port', () => 'ports: { bus: "=1+1" }\n')],
    paths: [
      loaded('a setting of the prototype', () => 'agents:\n  __proto__: { folder: / }\n'),
      loaded('a setting that no agent has', () => 'agents:\n  notes: { "../folder": / }\n'),
    ],
    crowd: [
      loaded('keys', () => Array.from({ length: 10_000 }, (_, at) => `key${at}: 1\n`).join('')),
    ],
    depth: [loaded('lists', () => `agents: ${'['.repeat(10_000)}`)],
  },
}
