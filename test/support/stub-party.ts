// Stands in for the notary or the worker where a test is about the supervisor: takes the same
// configuration, connects with the same credentials, says that it is ready, leaves when it must. As
// notary it records every boot and event and writes the calls, a JSON line each, into its folder.

import { appendFileSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { connectBus } from '../../security/bus.ts'

const file = process.argv[process.argv.indexOf('--config') + 1] ?? ''
const config = z
  .looseObject({ folder: z.string(), bus: z.string() })
  .parse(JSON.parse(readFileSync(file, 'utf8')))
const bus = await connectBus({ credentials: config.bus, reconnect: true })
for (const call of ['boot', 'event']) {
  if (bus.account !== 'notary') break
  bus.serve(
    `notary.${call}.*`,
    async ({ payload }) => {
      appendFileSync(join(config.folder, 'calls.ndjson'), `${JSON.stringify({ call, payload })}\n`)
      return { status: 'RECORDED' }
    },
    { type: 'VALIDATION_RESPONSE' },
  )
}
const leave = () => process.exit(0)
process.once('SIGTERM', leave)
process.stdin.once('end', leave).resume()
writeSync(3, `${JSON.stringify({ ready: true })}\n`)
