import { expect, it } from 'vitest'
import type { Checkpoint } from '../../security/audit/checkpoint.ts'
import type { WitnessVerdict } from '../../security/audit/witness.ts'
import { lookOnce } from '../../temporal/witness-head.ts'

const head = (size: number): Checkpoint => ({ size, root: 'r', at: 1, jws: 'x' })

function scripted(verdicts: readonly WitnessVerdict[]) {
  const told: string[] = []
  let next = 0
  return {
    told,
    ports: {
      head: async () => head(next + 1),
      witness: () => {
        const verdict = verdicts[next]
        next += 1
        if (verdict === undefined) throw new Error('the script has run out')
        return verdict
      },
      onRefused: (verdict: WitnessVerdict, size: number) => told.push(`${verdict} ${size}`),
    },
  }
}

it('says once that the log shrank, and again when it is another fault', async () => {
  const { told, ports } = scripted([
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
})

it('waits for the next look when the notary does not answer', async () => {
  const { told, ports } = scripted([])
  expect(await lookOnce({ ...ports, head: async () => undefined }, 'SMALLER')).toBe('SMALLER')
  expect(told).toEqual([])
})
