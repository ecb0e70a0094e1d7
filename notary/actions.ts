// Looks up an action in the catalogue. Names come from plans, so own properties only: no name may
// reach a prototype.

import type { ActionManifest, Catalogue } from '../plan/manifest.ts'

export function actionOf(
  catalogue: Catalogue,
  agent: string,
  action: string,
): ActionManifest | undefined {
  const actions = catalogue.get(agent)?.actions
  return actions !== undefined && Object.hasOwn(actions, action) ? actions[action] : undefined
}
