// `node test/support/keep-release.ts`, in a clean checkout of what people run: keeps its workflows as
// test/releases/<day>-<commit>.js.gz, so that runs begun by them can be begun again when they are no
// longer to be had: a clone may be shallow, and the dependencies of that day are gone. Without source
// map and comments; names are as they were.

import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DefaultLogger } from '@temporalio/worker'
import { transform } from 'esbuild'
import { bundleWorkflows } from '../../temporal/bundle.ts'
import { keep, testFolder } from './kept-files.ts'

/** The SDK asks for one. */
const emptySourceMap = { version: 3, file: 'workflows.js', sources: [], names: [], mappings: '' }

const root = join(testFolder, '..')
const bundle = await bundleWorkflows(new DefaultLogger('ERROR'))
const { code } = await transform(bundle.slice(0, bundle.lastIndexOf('//# sourceMappingURL=')), {
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
})
// Modules are named by their path from where the bundle was made, which is nobody's business.
const neutral = code.replaceAll(/(?:\.\.\/)+[^"'`\s]*?node_modules\//g, './node_modules/')
if (neutral.includes(root)) throw new Error('the bundle names folders of this machine')
const map = Buffer.from(JSON.stringify(emptySourceMap)).toString('base64')
const commented = `${neutral}\n//# sourceMappingURL=data:application/json;base64,${map}\n`

const git = (...args: readonly string[]) =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
const changed = git('status', '--porcelain', '--', 'workflows', 'temporal', 'plan')
if (changed !== '') throw new Error(`not as committed:\n${changed}`)
mkdirSync(join(testFolder, 'releases'), { recursive: true })
const path = `releases/${git('log', '-1', '--format=%cs-%h', '--abbrev=7')}.js.gz`
keep(path, gzipSync(commented, { level: 9 }))
process.stderr.write(`kept ${path}\n`)
