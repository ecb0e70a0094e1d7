#!/usr/bin/env node
// The `bulkhead` command: finds the Node that set-up chose and hands over to cli/main.ts. Plain
// JavaScript, because it may be started by an older Node.

process.argv.splice(2, 0, new URL('./main.ts', import.meta.url).pathname)
await import('../setup/with-node.mjs')
