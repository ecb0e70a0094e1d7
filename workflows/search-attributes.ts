// What runs can be found by in Temporal. Stored in clear, therefore opaque: a status and a recipe's
// name, nothing a person wrote. The server must know them before the first run starts.

import { defineSearchAttributeKey } from '@temporalio/common'

export const statusAttribute = defineSearchAttributeKey('BulkheadStatus', 'KEYWORD')
export const recipeAttribute = defineSearchAttributeKey('BulkheadRecipe', 'KEYWORD')

/** Of a run that begins, whoever starts it. */
export function attributesAtStart(recipe?: string) {
  const found = recipe === undefined ? [] : [{ key: recipeAttribute, value: recipe }]
  return [{ key: statusAttribute, value: 'running' }, ...found]
}
