// Builds an agent into one file that needs Node and SQLite's addon and nothing else. The same
// sources give the same bytes, so that a bundle can be named by its digest. Runs at set-up, never in
// a sandbox. Does not check what a bundle contains; its test does.

import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const sourceRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/**
 * Bundles the agent that `entry` exports as `agent`, with the program that runs it, into `outFile`.
 * @throws Error with esbuild's messages
 */
export async function bundleAgent(entry: string, outFile: string): Promise<void> {
  await bundleSource(
    `import { agent } from ${JSON.stringify(resolve(entry))}
     import { runAgent } from ${JSON.stringify(join(sourceRoot, 'agents/sandbox-main.ts'))}
     await runAgent(agent)`,
    outFile,
  )
}

/** Bundles a module that calls `runAgent` itself: the crash tests' entries, which pass `onPoint`. */
export async function bundleProgram(entry: string, outFile: string): Promise<void> {
  await bundleSource(`import ${JSON.stringify(resolve(entry))}`, outFile)
}

async function bundleSource(source: string, outFile: string): Promise<void> {
  await build({
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
    plugins: bundlePlugins,
    logLevel: 'silent',
  })
}

/**
 * Anthropic's SDK reads credentials from files, starts helpers for them and runs tools for models. A
 * bundle gets what the SDK itself puts in their place for browsers: nothing of it works, and nothing of it
 * is there.
 */
const sdkWithoutProcesses: Plugin = {
  name: 'sdk-without-processes',
  setup({ onLoad }) {
    const filter = /@anthropic-ai[\\/]sdk[\\/](?:internal|tools[\\/]agent-toolset)[\\/]node\.mjs$/
    onLoad({ filter }, () => ({ contents: "export * from './node.browser.mjs'", loader: 'js' }))
  },
}

/**
 * better-sqlite3 compiles a function for each shape of row, which the sandbox forbids (no code from
 * strings). It has a second way, for columns that are named like a prototype; here it is the only
 * one. A version that does this otherwise fails the build.
 */
const rowsWithoutGeneratedCode: Plugin = {
  name: 'rows-without-generated-code',
  setup({ onLoad }) {
    onLoad({ filter: /better-sqlite3[\\/]lib[\\/]database\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      const contents = text.replace("if (!keys.includes('__proto__')) {", 'if (false) {')
      if (contents === text) throw new Error(`${path} makes rows in a way that is not known`)
      return { contents, loader: 'js' }
    })
  },
}

/** How every bundle is built, that of a check too. */
export const bundlePlugins: Plugin[] = [rowsWithoutGeneratedCode, sdkWithoutProcesses]
