// Whether a file is a native program of this machine, and which loader it names: the header and the
// program headers of elf(5), 64 bits, little-endian. Reading only.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** e_machine (elf(5), EM_*). */
const machines: Readonly<Partial<Record<NodeJS.Architecture, number>>> = { x64: 62, arm64: 183 }
const header = { bytes: 64, machine: 18, table: 32, entryBytes: 54, entries: 56 } as const
const entry = { type: 0, offset: 8, size: 32, bytes: 56 } as const
const interpreterType = 3
/** A loader's path is short; a table of program headers has a dozen entries. */
const maxPathBytes = 4096
const maxEntries = 512

/** The loader's path, none for a static program; undefined for what is no program of this machine. */
export function loadersOf(file: string): readonly string[] | undefined {
  const descriptor = openSync(file, 'r')
  const { size } = fstatSync(descriptor)
  /** Less, or nothing, where the file ends before. */
  const read = (at: number, bytes: number): Buffer => {
    if (at >= size) return Buffer.alloc(0)
    const part = Buffer.alloc(bytes)
    return part.subarray(0, readSync(descriptor, part, 0, bytes, at))
  }
  try {
    const head = read(0, header.bytes)
    const is64Little = head.length === header.bytes && head.readUInt32BE(0) === 0x7f454c46
    if (!is64Little || head[4] !== 2 || head[5] !== 1) return undefined
    if (head.readUInt16LE(header.machine) !== machines[process.arch]) return undefined
    const table = Number(head.readBigUInt64LE(header.table))
    const entries = head.readUInt16LE(header.entries)
    if (head.readUInt16LE(header.entryBytes) !== entry.bytes || entries > maxEntries)
      return undefined
    for (let index = 0; index < entries; index++) {
      const one = read(table + index * entry.bytes, entry.bytes)
      if (one.length < entry.bytes) return undefined
      if (one.readUInt32LE(entry.type) !== interpreterType) continue
      const bytes = Math.min(Number(one.readBigUInt64LE(entry.size)), maxPathBytes)
      const said = read(Number(one.readBigUInt64LE(entry.offset)), bytes)
      const path = said.toString('utf8').replace(/\0.*$/s, '')
      return path.startsWith('/') ? [path] : undefined
    }
    return []
  } finally {
    closeSync(descriptor)
  }
}
