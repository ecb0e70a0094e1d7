// A process that runs one command and is killed where its parent says. Its argument is a file with
// folder, point, keys and command; its reply goes to standard output, when it lives to have one.

import { readFileSync, writeSync } from 'node:fs'
import { z } from 'zod'
import { startBareRuntime } from '../agent-commands.ts'
import { openHome } from '../agent-home.ts'

const points = z.enum(['after-reserve', 'after-effect', 'after-reply'])
const input = z
  .strictObject({
    folder: z.string(),
    killAt: points,
    jwks: z.unknown(),
    command: z.unknown(),
  })
  .parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')))

const onPoint = (point: z.infer<typeof points>): void => {
  if (point === input.killAt) process.kill(process.pid, 'SIGKILL')
}
const runtime = await startBareRuntime(openHome(input.folder), input.jwks, { onPoint })
const reply = await runtime.handle(input.command)
writeSync(1, JSON.stringify(reply))
onPoint('after-reply')
