// Builds an agent into one file that needs Node and SQLite's addon and nothing else. The same
// sources give the same bytes, so that a bundle can be named by its digest. Runs at set-up, never in
// a sandbox. Does not check what a bundle contains; its test does.

import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const sourceRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/**
 * Bundles the agent that `entry` exports as `agent`, with the program that runs it, into `outFile`.
 * @throws Error with esbuild's messages
 */
export async function bundleAgent(entry: string, outFile: string): Promise<void> {
  bundleSource(
    `import { agent } from ${JSON.stringify(resolve(entry))}
     import { runAgent } from ${JSON.stringify(join(sourceRoot, 'agents/sandbox-main.ts'))}
     await runAgent(agent)`,
    outFile,
  )
}

/** Bundles a module that calls `runAgent` itself: the crash tests' entries, which pass `onPoint`. */
export async function bundleProgram(entry: string, outFile: string): Promise<void> {
  bundleSource(`import ${JSON.stringify(resolve(entry))}`, outFile)
}

function bundleSource(source: string, outFile: string): void {
  buildSync({
    stdin: { contents: source, resolveDir: sourceRoot, sourcefile: 'entry.ts', loader: 'ts' },
    outfile: outFile,
    // Names in the output are relative to this, and the same wherever the build runs from.
    absWorkingDir: sourceRoot,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    charset: 'utf8',
    legalComments: 'none',
    sourcemap: false,
    // CommonJS packages inside call `require` for Node's own modules, which an ES module lacks.
    banner: {
      js: `import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);`,
    },
    logLevel: 'silent',
  })
}
