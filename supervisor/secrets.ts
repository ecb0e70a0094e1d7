// Secrets are named in `bulkhead.yaml` by reference and resolved here, once, at each start, into the
// one place that may have them. Invariant: a value is never in an error, an argument, a variable of a
// child's environment or a log; a file that others may read is refused.

import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { SupervisorError } from './codes.ts'

export interface SecretSources {
  /** Relative file references are meant from here. */
  readonly folder: string
  /** One variable of the supervisor's own environment. */
  readonly variable: (name: string) => string | undefined
}

/** A header's value; longer or other text is not a credential of HTTP. */
const headerText = /^[\u0020-\u007e]{1,4096}$/
/** What an agent reads itself: lines of any language, such as one password for each repository. */
const plainText = /^(?:[\n\r\t]|\P{Cc}){1,16384}$/u

/**
 * The value of `file://path`, `env://NAME` or `systemd-cred://name`, for a header of the gateway's. A
 * final line break of a file is not part of it.
 * @param key the setting, for messages
 * @throws SupervisorError CONFIG_INVALID
 */
export function resolveSecret(key: string, reference: string, sources: SecretSources): string {
  const value = readReference(key, reference, sources)
  if (value === undefined || !headerText.test(value)) {
    throw refuse(key, 'the secret is empty, too long, or more than one line of plain text')
  }
  return value
}

/**
 * The same for an agent's own use, which may have several lines.
 * @throws SupervisorError CONFIG_INVALID
 */
export function resolveAgentSecret(key: string, reference: string, sources: SecretSources): string {
  const value = readReference(key, reference, sources)
  if (value === undefined || value.trim() === '' || !plainText.test(value)) {
    throw refuse(key, 'the secret is empty, too long, or holds control characters')
  }
  return value
}

function readReference(
  key: string,
  reference: string,
  { folder, variable }: SecretSources,
): string | undefined {
  const [, scheme, name = ''] = /^(file|env|systemd-cred):\/\/(.+)$/.exec(reference) ?? []
  switch (scheme) {
    case 'file':
      return readSecretFile(key, resolve(folder, name))
    case 'env':
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw refuse(key, 'not the name of a variable')
      return variable(name)
    case 'systemd-cred': {
      const credentials = variable('CREDENTIALS_DIRECTORY')
      if (credentials === undefined) throw refuse(key, 'no credentials were given by systemd')
      // A name of dots is a folder, which is refused below.
      if (!/^[A-Za-z0-9_.-]+$/.test(name)) throw refuse(key, 'not the name of a credential')
      return readSecretFile(key, join(credentials, name))
    }
    default:
      // Whoever wrote the value itself must not find it in a log.
      throw refuse(key, 'not a reference to a secret')
  }
}

function readSecretFile(key: string, path: string): string {
  try {
    const facts = statSync(path)
    if (facts.isFile() && (facts.mode & 0o077) === 0) {
      return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
    }
  } catch {
    throw refuse(key, `${path} cannot be read`)
  }
  throw refuse(key, `${path} is no file that is yours alone (chmod 600 ${path})`)
}

function refuse(key: string, reason: string): SupervisorError {
  return new SupervisorError('CONFIG_INVALID', `${key}: ${reason}`, {
    next: `set ${key} in bulkhead.yaml to file://<path>, env://<NAME> or systemd-cred://<name>`,
  })
}
