// The agents of the project with notes as an agent of one's own, for all parties of a test deployment.

import { catalogue } from '../../agents/catalogue.ts'
import type { Catalogue } from '../../plan/manifest.ts'

export const perUserCatalogue: Catalogue = new Map(
  [...catalogue].map(([name, manifest]) => [
    name,
    name === 'notes' ? { ...manifest, perUser: true } : manifest,
  ]),
)
