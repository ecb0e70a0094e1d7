// Run by the full-disk test inside a mount namespace: fills a small disk and lets both agents write.
// Prints what each reported and whether anything was lost, as one line of JSON.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { agent as calendar } from '../../agents/calendar/agent.ts'
import type { AgentDefinition } from '../../agents/define-agent.ts'
import { ActionFailure } from '../../agents/define-agent.ts'
import { agent as notes } from '../../agents/notes/agent.ts'

const [folder = ''] = process.argv.slice(2)
const idem = 'i'.repeat(43)
const event = 'BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20261121T090000Z\r\nSUMMARY:a\r\nEND:VEVENT\r\n'
const originals = {
  'diary.md': `${'a line of a diary\n'.repeat(2_000)}`,
  'work.ics': `BEGIN:VCALENDAR\r\n${event}${'X-PAD:0123456789\r\n'.repeat(2_000)}END:VCALENDAR\r\n`,
}
for (const [name, text] of Object.entries(originals)) writeFileSync(join(folder, name), text)

async function attempt(agent: AgentDefinition, action: string, args: unknown): Promise<string> {
  const run = agent.actions.get(action)?.prepare(args)
  try {
    await run?.({
      idem,
      kind: 'do',
      now: () => Date.now(),
      folder: () => folder,
      secret: () => '',
      fetch: () => Promise.reject(new Error('no network')),
      stream: () => Promise.reject(new Error('no network')),
      connect: () => Promise.reject(new Error('no network')),
      run: () => Promise.reject(new Error('no program')),
    })
    return 'done'
  } catch (error) {
    return error instanceof ActionFailure ? `${error.code} ${error.retry}` : String(error)
  }
}

const start = { start: '2026-11-22T10:00', durationMinutes: 30 }
const outcomes = [
  await attempt(notes, 'append', { note: 'diary', text: 'x'.repeat(1_000) }),
  await attempt(calendar, 'create', { calendar: 'work', summary: 'x', ...start }),
]
const lost = Object.entries(originals).filter(
  ([name, text]) => readFileSync(join(folder, name), 'utf8') !== text,
)
const left = readdirSync(join(folder, '.bulkhead')).filter((name) => name.startsWith('tmp-'))
process.stdout.write(`${JSON.stringify({ outcomes, lost, left })}\n`)
