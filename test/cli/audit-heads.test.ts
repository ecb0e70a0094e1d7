// What a person checks of an audit whose rows are not theirs to read: its signed head, against what
// they and Temporal have seen.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { verifyHead } from '../../cli/audit-heads.ts'
import type { AuditSource } from '../../cli/audit-source.ts'
import {
  type Checkpoint,
  createHeadSealer,
  type SealHead,
} from '../../security/audit/checkpoint.ts'
import { generateKeyPairJwk, type PublicJwk } from '../../security/verify/keys.ts'

let state: string
let seal: SealHead
let auditKey: PublicJwk
beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-heads-'))
  mkdirSync(join(state, 'cli'))
  const pair = await generateKeyPairJwk()
  auditKey = pair.publicJwk
  seal = await createHeadSealer(pair.privateJwk)
})
afterEach(() => rmSync(state, { recursive: true }))

const headOf = (size: number, letter = 'A', by = seal) =>
  by({ size, root: letter.repeat(43), at: 1_800_000_000_000 })

const check = (head: Checkpoint | undefined, anchored: readonly Checkpoint[] = []) => {
  const refuse = () => {
    throw new Error('rows are the owner’s')
  }
  const source: AuditSource = {
    ...{ state, whole: false, platform: 'first', rows: refuse, checkpoints: refuse },
    ...{ requests: refuse, request: refuse },
    anchored: async () => anchored,
    head: async () => head,
  }
  return verifyHead(source, auditKey)
}

it('finds a log that grows, and asks for no row', async () => {
  const told = { rows: 5, head: 'A'.repeat(43), scope: 'head' }
  expect(await check(headOf(5))).toEqual({ ...told, verified: true })
  expect(await check(headOf(5))).toEqual({ ...told, verified: true })
  expect(await check(headOf(6, 'B'))).toMatchObject({ rows: 6, verified: true })
})

it('finds one that is smaller than it was, for this command or for Temporal', async () => {
  await check(headOf(5))
  expect(await check(headOf(4))).toMatchObject({ verified: false })
  expect(await check(headOf(6), [headOf(7)])).toMatchObject({ verified: false })
})

it('finds another log of the same size', async () => {
  await check(headOf(5))
  expect(await check(headOf(5, 'B'))).toMatchObject({ verified: false })
})

it('finds a head that another key signed, or that was changed, and remembers neither', async () => {
  const other = await createHeadSealer((await generateKeyPairJwk()).privateJwk)
  expect(await check(headOf(9, 'A', other))).toMatchObject({ verified: false })
  expect(await check({ ...headOf(9), size: 8 })).toMatchObject({ verified: false })
  expect(await check(headOf(5))).toMatchObject({ verified: true })
})

it('finds that there is none', async () => {
  expect(await check(undefined)).toEqual({ rows: 0, verified: false, head: '', scope: 'head' })
})
