// The workflows of earlier releases, as test/support/keep-release.ts kept them.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { testFolder } from './kept-files.ts'

const folder = join(testFolder, 'releases')

/** Oldest first. */
export const keptReleases: readonly string[] = readdirSync(folder).map((name) =>
  name.replace(/\.js\.gz$/, ''),
)

/** Unpacks the bundle of a release into a folder, for a worker to run; returns its file. */
export function unpackRelease(release: string, into: string): string {
  const file = join(into, `${release}.js`)
  writeFileSync(file, gunzipSync(readFileSync(join(folder, `${release}.js.gz`))))
  return file
}
