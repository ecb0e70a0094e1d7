// A hostile agent's attempts on the file system of its sandbox, each reported as `done` or an errno.

import {
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'

export interface FileAttempt {
  readonly how:
    | 'write'
    | 'read'
    | 'list'
    | 'mkdir'
    | 'symlink'
    | 'link'
    | 'setuid'
    | 'chown'
    | 'load'
    | 'fill'
  readonly path: string
  readonly from?: string
}

export interface FileOutcome {
  readonly result: string
  /** What was read or listed. */
  readonly text?: string
}

function perform({ how, path, from = '' }: FileAttempt): string | undefined {
  switch (how) {
    case 'write':
      return void writeFileSync(path, 'x')
    case 'read':
      return readFileSync(path, 'utf8')
    case 'list':
      return readdirSync(path).join('\n')
    case 'mkdir':
      return void mkdirSync(path)
    case 'symlink':
      return void symlinkSync(from, path)
    case 'link':
      return void linkSync(from, path)
    case 'setuid':
      writeFileSync(path, '')
      chmodSync(path, 0o4755)
      return (statSync(path).mode & 0o7777).toString(8)
    case 'chown':
      return void chownSync(path, 1_000, 1_000)
    case 'load':
      copyFileSync(from, path)
      return void process.dlopen({ exports: {} }, path)
    case 'fill':
      return void writeFileSync(path, Buffer.alloc(32 * 1024 * 1024))
  }
}

export function tryFiles(attempts: readonly FileAttempt[]): readonly FileOutcome[] {
  return attempts.map((attempt) => {
    try {
      const text = perform(attempt)
      return { result: 'done', ...(text === undefined ? {} : { text }) }
    } catch (error) {
      if (!(error instanceof Error)) return { result: 'threw' }
      // The loader has words only.
      const result =
        'code' in error && error.code !== 'ERR_DLOPEN_FAILED' ? error.code : error.message
      return { result: String(result) }
    }
  })
}
