// What `state backups` and `state restore` say to a person.

import type { Restored, StateCopy } from './state-copies.ts'

export function describeCopies(copies: readonly StateCopy[]): string {
  if (copies.length === 0) {
    return 'no copies: one is made when a new release changes the form of audit.db\n'
  }
  const why = { 'before-migration': 'before a new release changed it', replaced: 'put aside' }
  return copies
    .map(({ name, kind, version, at, bytes }) => {
      const size = `${Math.ceil(bytes / 1024)} KiB`
      return `${name}  version ${version}  ${at}  ${size}  ${why[kind]}\n`
    })
    .join('')
}

/** Plainly, because the person will meet all of it. */
export function describeRestored({ restored, version, replaced }: Restored): string {
  return [
    `audit.db is now ${restored} (version ${version})`,
    replaced === null ? 'there was none before' : `what it replaced is kept as ${replaced}`,
    '',
    'What this means:',
    '- Rows written since that copy are missing. Runs, schedules, decisions and quarantines of that time are unknown to the notary; what agents did is done.',
    '- npx bulkhead audit verify will say ROLLED_BACK: the witnesses remember a longer audit. That is right, and it stays.',
    `- Start the release that wrote version ${version}. This release would copy the file again and bring it up to date.`,
    ...(replaced === null ? [] : [`- To undo this: npx bulkhead state restore ${replaced}`]),
    '',
  ].join('\n')
}
