// The notary, with notes as an agent of one's own.

import { readNotaryConfig } from '../../notary/config.ts'
import { runNotaryEntry } from './notary-entry.ts'
import { perUserCatalogue } from './per-user-catalogue.ts'

let reload: () => void = () => undefined
process.on('SIGHUP', () => reload())
const config = readNotaryConfig(process.argv.slice(2))
await runNotaryEntry(config, {
  catalogue: perUserCatalogue,
  onReload: (handler) => {
    reload = handler
  },
})
