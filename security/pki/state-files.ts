// Writing into the state folder so that a crash at any moment leaves the old file or the new one,
// never half of one, and never readable by others. Two ways: `createOnce` for what must survive
// (keys), `replaceFile` for what is derived. Paths come from our own layout, never from a payload.
// As root, a folder may have been given to the group of the one party that reads it
// (supervisor/ownership.ts); a new file in it is that group's by the folder's set-group-id bit. The
// group of a file is therefore no stranger, and keeps its right to read.

import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import {
  chmod,
  type FileHandle,
  link,
  mkdir,
  open,
  readFile,
  rename,
  stat,
  unlink,
} from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'

/** Creates the state folder. An existing one keeps its mode: it may be a folder of the person's. */
export async function ensureStateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
}

/** Creates the folder with 0700 and takes other users' rights off an existing one. */
export async function ensureFolder(path: string): Promise<void> {
  const created = await mkdir(path, { recursive: true, mode: 0o700 })
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    await closeToOthers(folder)
  } finally {
    await folder.close()
  }
  if (created !== undefined && isOneParty((await stat(path)).gid)) await chmod(path, 0o2750)
}

/** The file's text, or undefined when there is none. Takes other users' rights off it. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  let file: FileHandle
  try {
    // A link could have been put there by the party whose folder it is, to have root close its target.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    await closeToOthers(file)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/**
 * Returns the file's text; draws and stores it first when there is none. Never overwrites: if two
 * processes create it at once, both return what the first one stored.
 */
export async function createOnce(
  path: string,
  draw: () => string | Promise<string>,
): Promise<string> {
  const present = await readIfPresent(path)
  if (present !== undefined) return present
  const drawn = await draw()
  const temporary = await writeTemporary(path, drawn)
  try {
    // Unlike rename, link refuses to replace.
    await link(temporary, path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    return await readFile(path, 'utf8')
  } finally {
    await unlink(temporary)
  }
  await syncFolder(dirname(path))
  return drawn
}

/** Writes the file unless it already holds exactly this text. */
export async function replaceFile(path: string, text: string): Promise<void> {
  if ((await readIfPresent(path)) === text) return
  const temporary = await writeTemporary(path, text)
  await rename(temporary, path)
  await syncFolder(dirname(path))
}

async function writeTemporary(path: string, text: string): Promise<string> {
  const temporary = `${path}.${randomUUID()}.tmp`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(text)
    const { gid } = await file.stat()
    if (isOneParty(gid)) await file.chmod(0o640)
    // Before the name points at it: otherwise a power cut can leave a named, empty key.
    await file.sync()
  } finally {
    await file.close()
  }
  return temporary
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function closeToOthers(file: FileHandle): Promise<void> {
  const facts = await file.stat()
  const forGroup = facts.isDirectory() ? 0o7070 : 0o040
  const kept = 0o700 | (isOneParty(facts.gid) ? forGroup : 0)
  if ((facts.mode & 0o077 & ~kept) !== 0) await file.chmod(facts.mode & kept)
}

/** Whether the group is a party's: only root can have given a file to a group that is not its own. */
function isOneParty(gid: number): boolean {
  return process.getuid?.() === 0 && gid !== process.getgid?.()
}

const systemErrorSchema = z.object({ code: z.string() })

function hasCode(error: unknown, code: string): boolean {
  return systemErrorSchema.safeParse(error).data?.code === code
}
