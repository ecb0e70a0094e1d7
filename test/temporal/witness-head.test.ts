import { expect, it } from 'vitest'
import type { Checkpoint } from '../../security/audit/checkpoint.ts'
import type { WitnessVerdict } from '../../security/audit/witness.ts'
import { createAnchorPace } from '../../temporal/audit-anchor.ts'
import { lookOnce } from '../../temporal/witness-head.ts'

const head = (size: number): Checkpoint => ({ size, root: 'r', at: 1, jws: 'x' })

function scripted(verdicts: readonly WitnessVerdict[]) {
  const told: string[] = []
  const passedOn: number[] = []
  let next = 0
  return {
    told,
    passedOn,
    ports: {
      head: async () => head(next + 1),
      witness: () => {
        const verdict = verdicts[next]
        next += 1
        if (verdict === undefined) throw new Error('the script has run out')
        return verdict
      },
      further: async ({ size }: Checkpoint) => {
        passedOn.push(size)
      },
      onRefused: (verdict: WitnessVerdict, size: number) => told.push(`${verdict} ${size}`),
    },
  }
}

it('says once that the log shrank, and again when it is another fault', async () => {
  const { told, passedOn, ports } = scripted([
    'GROWN',
    'SMALLER',
    'SMALLER',
    'OTHER_ROOT',
    'GROWN',
    'SMALLER',
  ])
  let verdict: WitnessVerdict | undefined
  for (let look = 0; look < 6; look += 1) verdict = await lookOnce(ports, verdict)
  expect(told).toEqual(['SMALLER 2', 'OTHER_ROOT 4', 'SMALLER 6'])
  expect(passedOn).toEqual([1, 5])
})

it('waits for the next look when the notary does not answer', async () => {
  const { told, ports } = scripted([])
  expect(await lookOnce({ ...ports, head: async () => undefined }, 'SMALLER')).toBe('SMALLER')
  expect(told).toEqual([])
})

it('shows the anchor what has grown, and not more often than twice a minute', async () => {
  const shown: number[] = []
  let now = 0
  const pace = createAnchorPace({ show: async ({ size }) => void shown.push(size) }, () => now)
  await pace(head(5))
  await pace(head(7))
  now += 30_000
  await pace(head(8))
  now += 30_000
  await pace(head(8))
  expect(shown).toEqual([5, 8])
})

it('shows a head again that the anchor could not be shown', async () => {
  const pace = createAnchorPace(
    {
      show: async () => {
        throw new RangeError('not now')
      },
    },
    () => 0,
  )
  await expect(pace(head(5))).rejects.toThrow(RangeError)
  await expect(pace(head(5))).rejects.toThrow(RangeError)
})
