// Pictures in answers, as a terminal shows them: narrower, in ASCII, or as they are.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { bar, sparkline } from '../../agents/text-charts.ts'
import { terminalOf } from '../../cli/config.ts'
import { fitPictures } from '../../cli/pictures.ts'

const chart = [
  'Spending',
  `  ${bar(100, 100, 20)} expenses:food 100.00 EUR`,
  `  ${bar(52, 100, 20)} expenses:fun 52.00 EUR`,
  `  ${bar(0.1, 100, 20)} expenses:books 0.10 EUR`,
  `  steps  ${sparkline([1, 5, null, 8])}  4.7 a day`,
].join('\n')
const lengths = (text: string) =>
  text.split('\n').flatMap((line) => /(?<=^ {2})█+[▉-▏]?/.exec(line)?.[0].length ?? [])

describe('pictures', () => {
  it('are as they were where they fit, and where nobody says how wide the terminal is', () => {
    for (const columns of [undefined, 80, 47]) {
      expect(fitPictures(chart, { columns, hasBlocks: true })).toBe(chart)
    }
  })

  it('are narrower, all by the same share, where a line would break', () => {
    const narrow = fitPictures(chart, { columns: 36, hasBlocks: true })
    expect(lengths(narrow)).toEqual([9, 5, 1])
    expect(Math.max(...narrow.split('\n').map((line) => line.length))).toBeLessThanOrEqual(36)
    // What is no bar is not touched: a person scrolls back for it.
    expect(narrow).toContain('expenses:food 100.00 EUR')
    expect(narrow).toContain('steps  ▁▅ █  4.7 a day')
    expect(lengths(fitPictures(chart, { columns: 5, hasBlocks: true }))).toEqual([1, 1, 1])
  })

  it('are of ASCII where there are no blocks, and say the same', () => {
    const plain = fitPictures(chart, { columns: 80, hasBlocks: false })
    expect(plain).toContain(`  ${'#'.repeat(20)} expenses:food`)
    expect(plain).toContain(`  ${'#'.repeat(11)} expenses:fun`)
    expect(plain).toContain('  # expenses:books')
    expect(plain).toContain('steps  _~ #  4.7 a day')
    expect(plain).toMatch(/^[\n -~]*$/)
  })

  it('are all there is that changes, in any text, and lines keep their number', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab \n▁▄█▌ €'), maxLength: 80 })
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 1, max: 100 }),
        fc.boolean(),
        (given, columns, hasBlocks) => {
          const shown = fitPictures(given, { columns, hasBlocks })
          expect(shown.split('\n')).toHaveLength(given.split('\n').length)
          const words = (one: string) => one.replace(/[▁-▏_.,\-~+*#]/g, '')
          expect(words(shown)).toBe(words(given))
          if (!hasBlocks) expect(shown).not.toMatch(/[▁-█]/)
        },
      ),
    )
  })
})

describe('a terminal', () => {
  afterEach(() => vi.unstubAllEnvs())
  const of = (variables: Readonly<Record<string, string>>) => {
    for (const name of ['LC_ALL', 'LC_CTYPE', 'LANG', 'TERM'])
      vi.stubEnv(name, variables[name] ?? '')
    return terminalOf({ isTTY: true, columns: 40 })
  }

  it.each([
    [{ LANG: 'de_AT.UTF-8', TERM: 'xterm-256color' }, true],
    [{ LC_ALL: 'C.utf8', LANG: 'C' }, true],
    [{ TERM: 'xterm' }, true],
    [{ LANG: 'C', TERM: 'xterm' }, false],
    [{ LC_ALL: 'de_AT.ISO-8859-1', LANG: 'de_AT.UTF-8' }, false],
    [{ LANG: 'en_US.UTF-8', TERM: 'dumb' }, false],
    [{ LANG: 'en_US.UTF-8', TERM: 'linux' }, false],
  ])('of %j shows blocks: %s', (variables, hasBlocks) => {
    expect(of(variables)).toEqual({ columns: 40, hasBlocks })
  })

  it('is none where the output goes into a file or a pipe', () => {
    expect(terminalOf({ isTTY: false, columns: 40 })).toBeUndefined()
  })
})

describe('the command', () => {
  /** Prints the chart through the command's own output, with a terminal of that width or none. */
  const print = (terminal: boolean, json: boolean, env: Readonly<Record<string, string>> = {}) => {
    const script = `
      import { createOutput } from './cli/output.ts'
      import { terminalOf } from './cli/config.ts'
      const stream = ${terminal ? '{ isTTY: true, columns: 36 }' : 'process.stdout'}
      createOutput(${json ? "'json'" : "'text'"}, terminalOf(stream)).data({ answer: ${JSON.stringify(chart)} }, () => [${JSON.stringify(chart)}])`
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module-typescript', '-e', script],
      {
        ...{ cwd: join(import.meta.dirname, '..', '..'), encoding: 'utf8' },
        env: { ...process.env, LANG: 'C.UTF-8', LC_ALL: '', TERM: 'xterm', ...env },
      },
    )
    expect(stderr).toBe('')
    return stdout
  }

  it('shrinks pictures for a narrow terminal, with colours or without', () => {
    const narrow = print(true, false)
    expect(lengths(narrow)).toEqual([9, 5, 1])
    expect(print(true, false, { NO_COLOR: '1' })).toBe(narrow)
  })

  it('leaves them as they are in JSON and in a pipe, without a character that a terminal obeys', () => {
    expect(JSON.parse(print(true, true))).toEqual({ answer: chart })
    const piped = print(false, false, { TERM: 'dumb' })
    expect(piped).toBe(`${chart}\n`)
    expect(piped).not.toContain('\u001b')
  })
})
