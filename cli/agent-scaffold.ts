// The files of a new agent: the template agent (agents/template, which is an agent that works) under
// another name, and its line in the catalogue. Invariant: nothing that is there is overwritten, and a name
// never leads out of the folders that it is written to.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const files = ['manifest.ts', 'agent.ts', 'examples.ts'] as const
/** As plan/manifest.ts wants it; a name of one word, so that it is one identifier too. */
const namePattern = /^[a-z][a-z0-9]{1,39}(?:-[a-z0-9]{1,39})*$/
/** Folders of `agents/` that are no agent's. */
const taken = ['check', 'template', 'dav']
/** What no variable may be called (ECMAScript 2023, 12.7.2), and the catalogue's own. */
const reserved = new Set(
  `await break case catch class const continue debugger default delete do else enum export extends false
  finally for function if implements import in instanceof interface let new null package private protected
  public return static super switch this throw true try typeof var void while with yield
  catalogue arguments eval undefined`.split(/\s+/),
)

export type Scaffolded =
  | { readonly ok: true; readonly files: readonly string[]; readonly catalogue: CatalogueEdit }
  | { readonly ok: false; readonly reason: string }

/** manual: the catalogue has another shape than is known; the lines are the person's to add. */
export type CatalogueEdit =
  | { readonly kind: 'edited' }
  | { readonly kind: 'manual'; readonly lines: readonly string[] }

/** What is wrong with a name, or undefined. */
export function faultOfName(name: string): string | undefined {
  if (name.length > 40 || !namePattern.test(name)) {
    return 'a name has small letters and digits, with single hyphens between, at most 40'
  }
  if (taken.includes(name)) return `agents/${name} is a folder of the project`
  return undefined
}

/** @param root of the clone */
export function scaffoldAgent(root: string, name: string): Scaffolded {
  const fault = faultOfName(name)
  if (fault !== undefined) return { ok: false, reason: fault }
  const folder = join(root, 'agents', name)
  const test = join(root, 'test', 'agents', `${name}.test.ts`)
  for (const path of [folder, test]) {
    if (existsSync(path)) return { ok: false, reason: `${path.slice(root.length + 1)} exists` }
  }
  const template = (path: string) =>
    readFileSync(join(root, path), 'utf8')
      .replaceAll('template', name)
      .replace(/\n\/\/ `bulkhead agent new[^\n]*\n/, '\n')
  // Fails where somebody else has made it meanwhile.
  mkdirSync(folder)
  try {
    for (const file of files) {
      writeFileSync(join(folder, file), template(`agents/template/${file}`), { flag: 'wx' })
    }
    writeFileSync(test, template('test/agents/template.test.ts'), { flag: 'wx' })
  } catch (error) {
    rmSync(folder, { recursive: true })
    throw error
  }
  const written = [...files.map((file) => `agents/${name}/${file}`), `test/agents/${name}.test.ts`]
  return { ok: true, files: written, catalogue: addToCatalogue(root, name) }
}

function addToCatalogue(root: string, name: string): CatalogueEdit {
  const file = join(root, 'agents', 'catalogue.ts')
  const text = readFileSync(file, 'utf8')
  const next = withAgent(text, name)
  if (next === undefined) {
    return {
      kind: 'manual',
      lines: [importOf(name), `createCatalogue([..., ${identifierOf(name)}])`],
    }
  }
  writeFileSync(file, next)
  return { kind: 'edited' }
}

const identifierOf = (name: string) => {
  const joined = name.replaceAll(/-(.)/g, (_all, letter: string) => letter.toUpperCase())
  return reserved.has(joined) ? `${joined}Agent` : joined
}
const importOf = (name: string) =>
  `import { manifest as ${identifierOf(name)} } from './${name}/manifest.ts'`

const lineWidth = 100

/** The catalogue's text with one agent more, as the formatter writes it; undefined for another shape. */
export function withAgent(text: string, name: string): string | undefined {
  const list = /createCatalogue\(\[([\w\s,]*)\]\)/.exec(text)
  const imports = text.match(/^import \{ manifest as \w+ \} from '\.\/[a-z0-9-]+\/manifest\.ts'$/gm)
  if (list === null || imports === null) return undefined
  const byPath = (line: string) => line.slice(line.indexOf("'"))
  const lines = [...imports, importOf(name)].toSorted((left, right) =>
    byPath(left) < byPath(right) ? -1 : 1,
  )
  const names = (list[1] ?? '').split(',').map((one) => one.trim())
  const agents = [...names.filter((one) => one !== ''), identifierOf(name)].toSorted(
    (left, right) => (left < right ? -1 : 1),
  )
  const oneLine = `export const catalogue: Catalogue = createCatalogue([${agents.join(', ')}])`
  const call =
    oneLine.length <= lineWidth
      ? `createCatalogue([${agents.join(', ')}])`
      : `createCatalogue([\n${agents.map((one) => `  ${one},\n`).join('')}])`
  const [first = ''] = imports
  return text
    .split('\n')
    .flatMap((line) => (line === first ? lines : imports.includes(line) ? [] : [line]))
    .join('\n')
    .replace(list[0], call)
}
