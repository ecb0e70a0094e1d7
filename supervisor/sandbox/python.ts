// Of what a script in Python consists: its interpreter, the standard library beside it and the folders
// of packages that this interpreter looks into (the `site` module's rules, virtual environments and
// Debian's folders included). Found by looking at the file system: no interpreter is run.

import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

export interface PythonFiles {
  readonly interpreter: string
  readonly stdlib: string
  /** Of the standard library, below a prefix: `lib/python3.11`. */
  readonly home: string
  readonly packages: readonly string[]
  /** Every extension module in them. */
  readonly extensions: readonly string[]
}

/** Longest first line that Linux understands (execve(2)). */
const shebangBytes = 256
/** A folder of packages has hundreds of extension modules at most. */
const maxEntries = 200_000

/** What is wrong, in words, for what cannot be run so. */
export function pythonFilesOf(script: string): PythonFiles | string {
  const [, path] = /^#!\s*(\/\S+)/.exec(readHead(script, shebangBytes).toString('latin1')) ?? []
  if (path === undefined) return 'does not begin with the path of an interpreter'
  if (!existsSync(path)) return `asks for ${path}, which is not there`
  const interpreter = realpathSync(path)
  const [, version] = /python(3\.\d+)$/.exec(interpreter) ?? []
  if (version === undefined) return `asks for ${path}, which is not Python 3`
  const prefix = dirname(dirname(interpreter))
  const homes = ['lib', 'lib64'].map((folder) => `${folder}/python${version}`)
  const home = homes.find((one) => existsSync(join(prefix, one, 'os.py')))
  if (home === undefined) return `asks for ${path}, whose standard library is not beside it`
  const stdlib = join(prefix, home)
  const packages = packageFolders(dirname(dirname(path)), prefix, version)
  return {
    ...{ interpreter, stdlib, home, packages },
    extensions: [stdlib, ...packages].flatMap(extensionsIn),
  }
}

/** In the order in which they are searched. */
function packageFolders(environment: string, prefix: string, version: string): readonly string[] {
  const settings = join(environment, 'pyvenv.cfg')
  const isVirtual = existsSync(settings)
  const seesSystem =
    !isVirtual || /^include-system-site-packages *= *true/im.test(readFileSync(settings, 'utf8'))
  const site = (folder: string) =>
    ['lib', 'lib64'].map((lib) => join(folder, lib, `python${version}`, 'site-packages'))
  const candidates = [
    ...(isVirtual ? site(environment) : []),
    ...(seesSystem
      ? [
          join(prefix, 'local', 'lib', `python${version}`, 'dist-packages'),
          ...site(prefix),
          join(prefix, 'lib', 'python3', 'dist-packages'),
        ]
      : []),
  ]
  const found = candidates.filter((folder) => existsSync(folder) && statSync(folder).isDirectory())
  return [...new Set(found.map((folder) => realpathSync(folder)))]
}

function extensionsIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .slice(0, maxEntries)
    .filter((entry) => entry.isFile() && /\.so(\.\d+)*$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}

/** The first bytes of a file. */
function readHead(file: string, bytes: number): Buffer {
  const descriptor = openSync(file, 'r')
  try {
    const head = Buffer.alloc(bytes)
    return head.subarray(0, readSync(descriptor, head, 0, bytes, 0))
  } finally {
    closeSync(descriptor)
  }
}
