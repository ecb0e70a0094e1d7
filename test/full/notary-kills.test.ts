// L09 at length: a notary that is killed five hundred times while eight callers wait for it.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { printTable } from '../support/case-table.ts'
import { killUnderLoad } from '../support/notary-kills.ts'
import { createNotaryProcess, type NotaryProcess } from '../support/notary-process.ts'

let notary: NotaryProcess
beforeAll(async () => {
  notary = await createNotaryProcess([{ agent: 'calendar', n: 0 }])
  await notary.start()
})
afterAll(() => notary.stop())

it('L09 loses no acknowledged row in 500 kills', async () => {
  const report = await killUnderLoad(notary, 500)
  const { kills, acknowledged, lost, broken, rows } = report
  printTable(
    'a notary killed under load',
    ['kills', 'acknowledged', 'rows', 'lost', 'broken files'],
    [[kills, acknowledged, rows, lost.length, broken.length].map(String)],
  )
  expect(report).toMatchObject({ lost: [], broken: [], verified: true })
  expect(acknowledged).toBeGreaterThan(kills)
})
