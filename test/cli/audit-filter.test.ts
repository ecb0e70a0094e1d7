import { describe, expect, it } from 'vitest'
import { type AuditFilter, toPredicate } from '../../cli/audit-filter.ts'
import { CommandError } from '../../cli/exit-codes.ts'
import type { AuditRow } from '../../notary/contract.ts'

const now = Date.parse('2026-01-31T12:00:00Z')
const row = (seq: number, change: Partial<AuditRow> = {}): AuditRow => ({
  ...{ seq, at: now - seq * 3_600_000, kind: 'mint', actor: 'user:owner', subject: 'write' },
  ...{ correlation: 'run-1', trace: '', body: '{}', prev: '', leaf: '', ...change },
})
const rows = [
  row(1, { kind: 'intent', body: '{"agent":"notes.0"}' }),
  row(2, { body: '{"agent":"notes.1"}', correlation: 'run-2' }),
  row(3, { kind: 'outcome', actor: 'agent:notes.0' }),
  row(4, { kind: 'life-cycle', actor: 'supervisor', subject: 'notes.0' }),
  row(5, { actor: 'agent:notes-archive.0', body: 'not JSON' }),
  row(30, { body: 'null' }),
]
const found = (filter: AuditFilter) => rows.filter(toPredicate(filter, now)).map(({ seq }) => seq)

describe('rows are chosen by', () => {
  it.each<[string, AuditFilter, readonly number[]]>([
    ['nothing', {}, [1, 2, 3, 4, 5, 30]],
    ['run', { run: 'run-2' }, [2]],
    ['kind', { kind: 'outcome' }, [3]],
    ['agent, whichever part of the row names it', { agent: 'notes' }, [1, 2, 3, 4]],
    ['one replica of an agent', { agent: 'notes.0' }, [1, 3, 4]],
    ['how long ago', { since: '3h' }, [1, 2, 3]],
    ['how many minutes, seconds or days ago', { since: '60m' }, [1]],
    ['a time', { since: '2026-01-31T09:30Z' }, [1, 2]],
    ['a date', { since: '2026-01-31' }, [1, 2, 3, 4, 5]],
    ['all of it', { agent: 'notes', kind: 'mint', run: 'run-2', since: '1d' }, [2]],
  ])('%s', (_, filter, expected) => {
    expect(found(filter)).toEqual(expected)
  })

  it.each<AuditFilter>([
    { kind: 'outcomes' },
    { agent: 'Notes' },
    { agent: 'notes.x' },
    { since: 'yesterday' },
    { since: '2026-13-40' },
    { since: '2' },
  ])('nothing that can match no row: %j', (filter) => {
    expect(() => toPredicate(filter, now)).toThrow(CommandError)
  })
})
