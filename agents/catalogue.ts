// All agents of this project, as manifests: what the compiler, the notary and the supervisor know of
// them. Must not import a handler: those who read this file never run an agent's code.

import { type Catalogue, createCatalogue } from '../plan/manifest.ts'
import { manifest as backup } from './backup/manifest.ts'
import { manifest as calendar } from './calendar/manifest.ts'
import { manifest as feeds } from './feeds/manifest.ts'
import { manifest as finance } from './finance/manifest.ts'
import { manifest as health } from './health/manifest.ts'
import { manifest as memory } from './memory/manifest.ts'
import { manifest as model } from './model/manifest.ts'
import { manifest as notes } from './notes/manifest.ts'
import { manifest as reminders } from './reminders/manifest.ts'
import { manifest as screentime } from './screentime/manifest.ts'
import { manifest as weather } from './weather/manifest.ts'

export const catalogue: Catalogue = createCatalogue([
  backup,
  calendar,
  feeds,
  finance,
  health,
  memory,
  model,
  notes,
  reminders,
  screentime,
  weather,
])
