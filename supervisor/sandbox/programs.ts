// Which files of the host a program in a sandbox consists of: the executable, its loader and exactly its
// shared libraries; for one in Python the interpreter, the standard library and the packages that the
// interpreter finds. Found by reading: nothing that a person configures is executed here, where it would
// run with the supervisor's rights. All but the loader lies below /programs/<name> inside, so that the
// agent's own look at its mounts can tell what belongs there (docs/adr/0041).

import { existsSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute } from 'node:path'
import type { ProgramDeclaration } from '../../plan/sandbox-declaration.ts'
import { SupervisorError } from '../codes.ts'
import { loadersOf } from './elf.ts'
import type { SandboxMount } from './oci-spec.ts'
import { type PythonFiles, pythonFilesOf } from './python.ts'
import { librariesOf } from './shared-libraries.ts'

export interface GrantedProgram {
  readonly name: string
  /** Inside: the words before a caller's arguments. */
  readonly command: readonly string[]
  /** All that the program itself needs to be found by its loader or its interpreter. */
  readonly env: Readonly<Record<string, string>>
  readonly mounts: readonly SandboxMount[]
}

/**
 * @param file the configured path
 * @throws SupervisorError NOT_CONFIGURED for what cannot be run in a sandbox, with what to type
 */
export async function resolveProgram(
  { name, kind, from }: ProgramDeclaration,
  file: string,
): Promise<GrantedProgram> {
  const refuse = (reason: string, next: string) =>
    new SupervisorError('NOT_CONFIGURED', `${from.config}: ${file} ${reason}`, { next })
  if (!isAbsolute(file)) {
    throw refuse(
      'is not an absolute path',
      `set ${from.config} to what \`command -v ${name}\` says`,
    )
  }
  const program = findProgram(file)
  if (program === undefined) {
    throw refuse('is not a program', `install ${name}, or set ${from.config} to its path`)
  }
  if (kind === 'elf') {
    const loaders = loadersOf(program)
    if (loaders === undefined) {
      throw refuse('is no native program of this machine', `name the program itself, not a script`)
    }
    return ofElf(name, program, loaders)
  }
  const python = pythonFilesOf(program)
  if (typeof python === 'string') {
    throw refuse(python, `install ${name} with its package manager, or in a virtual environment`)
  }
  return ofPython(name, program, python)
}

async function ofElf(
  name: string,
  program: string,
  loaders: readonly string[],
): Promise<GrantedProgram> {
  const place = placeOf(name)
  const libraries = loaders.length === 0 ? [] : await librariesOf([program], 'all')
  const terminal = libraries.some((path) => /\/libtinfo\.so/.test(path)) ? dumbTerminal(place) : []
  const language = loaders.length === 0 ? [] : plainLanguage(place)
  return {
    name,
    command: [`${place}/run`],
    env: {
      LD_LIBRARY_PATH: `${place}/lib`,
      ...(terminal.length === 0 ? {} : { TERM: 'dumb', TERMINFO: `${place}/terminfo` }),
      ...(language.length === 0 ? {} : { LANG: 'C.UTF-8', LOCPATH: `${place}/locale` }),
    },
    mounts: [
      executable(program, `${place}/run`),
      ...loaders.map((path) => executable(path, path)),
      ...libraryMounts(place, libraries),
      ...terminal,
      ...language,
    ],
  }
}

async function ofPython(
  name: string,
  script: string,
  { interpreter, stdlib, home, packages, extensions }: PythonFiles,
): Promise<GrantedProgram> {
  const place = placeOf(name)
  const loaders = loadersOf(interpreter) ?? []
  const own = loaders.length === 0 ? [] : await librariesOf([interpreter], 'all')
  // A module that is not asked for may lack its library, on any machine.
  const theirs = await librariesOf(extensions, 'found')
  const site = packages.map((folder, index) => ({ folder, at: `${place}/site/${index}` }))
  return {
    name,
    // Neither the user's own packages, nor files of compiled code, nor the folder of the script.
    command: [`${place}/python`, '-s', '-S', '-B', `${place}/run`],
    env: {
      LD_LIBRARY_PATH: `${place}/lib`,
      PYTHONHOME: `${place}/home`,
      PYTHONPATH: site.map(({ at }) => at).join(':'),
      PYTHONSAFEPATH: '1',
      PYTHONUTF8: '1',
    },
    mounts: [
      { ...executable(script, `${place}/run`), exec: false },
      executable(interpreter, `${place}/python`),
      ...loaders.map((path) => executable(path, path)),
      ...libraryMounts(place, [...own, ...theirs]),
      folderMount(stdlib, `${place}/home/${home}`),
      ...site.map(({ folder, at }) => folderMount(folder, at)),
    ],
  }
}

/**
 * Folders in which the program, its interpreter and its packages lie; none for what is not there. An
 * agent whose program is broken says so when it starts, and the others start all the same.
 */
export function foldersOfProgram(file: string | undefined): readonly string[] {
  const program = file === undefined || !isAbsolute(file) ? undefined : findProgram(file)
  if (program === undefined) return []
  const python = pythonFilesOf(program)
  const parts =
    typeof python === 'string'
      ? []
      : [dirname(python.interpreter), python.stdlib, ...python.packages]
  return [dirname(program), ...parts]
}

export const placeOf = (name: string) => `/programs/${name}`

/** A program that asks what its terminal can do does not start without an answer (terminfo(5)). */
function dumbTerminal(place: string): readonly SandboxMount[] {
  const folders = ['/etc/terminfo', '/lib/terminfo', '/usr/share/terminfo']
  const entry = folders.map((folder) => `${folder}/d/dumb`).find((file) => existsSync(file))
  return entry === undefined
    ? []
    : [{ ...executable(entry, `${place}/terminfo/d/dumb`), exec: false }]
}

/** Without the data of a language, the C library takes every letter beyond ASCII for a fault (locale(7)). */
function plainLanguage(place: string): readonly SandboxMount[] {
  const folders = ['/usr/lib/locale/C.utf8', '/usr/lib/locale/C.UTF-8', '/usr/lib64/locale/C.utf8']
  const data = folders.find((folder) => existsSync(folder))
  return data === undefined ? [] : [{ ...folderMount(data, `${place}/locale/C.utf8`), exec: false }]
}

function libraryMounts(place: string, libraries: readonly string[]): readonly SandboxMount[] {
  const named = new Map(libraries.map((path) => [basename(path), path]))
  return [...named].map(([name, path]) => executable(path, `${place}/lib/${name}`))
}

/** By the name that it is asked for by, whatever a link of that name points to. */
export function executable(path: string, at: string): SandboxMount {
  return { source: realpathSync(path), at, kind: 'file', mode: 'ro', exec: true }
}

/** Extension modules are code: their pages must be executable. */
function folderMount(path: string, at: string): SandboxMount {
  return { source: realpathSync(path), at, kind: 'folder', mode: 'ro', exec: true }
}

/** The file behind the path, if it may be executed by whoever the sandbox runs as. */
export function findProgram(file: string): string | undefined {
  try {
    const path = realpathSync(file)
    const facts = statSync(path)
    return facts.isFile() && (facts.mode & 0o111) !== 0 ? path : undefined
  } catch {
    return undefined
  }
}
