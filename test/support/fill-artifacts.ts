// `node test/support/fill-artifacts.ts <folder>`: fills the disk below the folder with artifacts, then
// makes room again; prints what happened. Run on a small file system of its own.

import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ArtifactError, openArtifactStore } from '../../activities/artifacts.ts'
import { oneKey } from '../../temporal/payload-keys.ts'

const folder = process.argv[2] ?? ''
const store = await openArtifactStore({
  folder,
  key: Buffer.alloc(32, 1),
  sealing: oneKey(Buffer.alloc(32, 1)),
})
const put = (at: number) =>
  store.put(Buffer.alloc(20_000, at), {
    kind: 'result',
    requestId: 'r1',
    step: 's',
    iteration: at,
    readers: [],
    createdAt: 1,
  })

const stored: string[] = []
let code = ''
while (code === '' && stored.length < 1_000) {
  try {
    stored.push(await put(stored.length))
  } catch (error) {
    code = error instanceof ArtifactError ? error.code : String(error)
  }
}
const leftovers = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.tmp'),
)
const readable = await Promise.all(stored.map((ref) => store.get(ref)))
const [first = ''] = stored
rmSync(join(folder, 'objects', first.slice(0, 2), first))
const later = await put(2_000).then(
  () => 'stored',
  (error: unknown) => String(error),
)
process.stdout.write(
  JSON.stringify({ stored: stored.length, readable: readable.length, code, leftovers, later }),
)
