// What the kernel and the OCI runtime say of a running sandbox, read from the host.

import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

export interface Mount {
  readonly at: string
  readonly options: readonly string[]
  /** Of the file system, the same at each of its mounts. */
  readonly ofAll: readonly string[]
}

/** As the kernel lists them for the process (proc_pid_mountinfo(5)). */
export const mountsOf = (pid: number): readonly Mount[] =>
  readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '))
    .map((fields) => ({
      at: fields[4] ?? '',
      options: (fields[5] ?? '').split(','),
      ofAll: (fields.at(-1) ?? '').split(','),
    }))

/** Every file that a sandbox sees but those of /proc and /dev, seen through its own mounts. */
export function filesOf(pid: number): readonly { readonly path: string; readonly start: string }[] {
  const root = join('/proc', String(pid), 'root')
  return readdirSync(root)
    .filter((name) => name !== 'proc' && name !== 'dev')
    .flatMap((name) =>
      readdirSync(join(root, name), { recursive: true }).map((at) => `/${name}/${at}`),
    )
    .filter((path) => lstatSync(join(root, path)).isFile())
    .sort((one, other) => one.localeCompare(other))
    .map((path) => ({ path, start: firstBytes(join(root, path)) }))
}

function firstBytes(file: string): string {
  const handle = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(4)
    return bytes.toString('latin1', 0, readSync(handle, bytes))
  } finally {
    closeSync(handle)
  }
}

const configSchema = z.object({
  root: z.object({ readonly: z.boolean() }),
  process: z.object({
    noNewPrivileges: z.boolean(),
    capabilities: z.record(z.string(), z.array(z.string())),
  }),
  linux: z.object({
    seccomp: z.unknown(),
    namespaces: z.array(z.object({ type: z.string(), path: z.string().optional() })),
  }),
})

/** The configuration of the bundle that runc was started with, found by the runtime's own state. */
export function ociConfigOf(deployment: string, pid: number): z.infer<typeof configSchema> {
  const states = join(deployment, 'run', 'runc')
  const found = readdirSync(states)
    .map((name) => JSON.parse(readFileSync(join(states, name, 'state.json'), 'utf8')))
    .map((state) => z.looseObject({ init_process_pid: z.number() }).parse(state))
    .find((state) => state.init_process_pid === pid)
  const labels = z.looseObject({ labels: z.array(z.string()) }).parse(found?.['config']).labels
  const bundle = labels.find((label) => label.startsWith('bundle='))?.slice('bundle='.length)
  return configSchema.parse(JSON.parse(readFileSync(join(bundle ?? '', 'config.json'), 'utf8')))
}
