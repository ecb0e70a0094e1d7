// How many replicas a deployment has of each agent.

import { describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { limits } from '../../plan/limits.ts'
import {
  faultOfReplicas,
  numbersFor,
  numbersOf,
  ownerAlone,
  personOfReplica,
  replicasOf,
  replicasSchema,
  slotsSchema,
  withReplicas,
  withSlots,
} from '../../plan/replicas.ts'
import { manifest as test } from '../support/test-agent/manifest.ts'

describe('replicas', () => {
  it('are what the person says, else what the manifest says, and nobody’s for no agent', () => {
    const wanted = { weather: 3, stranger: 2, constructor: 2 }
    const changed = withReplicas(catalogue, wanted)
    expect([...changed.keys()]).toEqual([...catalogue.keys()])
    expect(replicasOf(changed)).toEqual({ ...replicasOf(catalogue), weather: 3 })
    expect(changed.get('weather')?.actions).toBe(catalogue.get('weather')?.actions)
  })

  it('are bounded', () => {
    expect(replicasSchema.safeParse({ weather: 8 }).success).toBe(true)
    for (const wrong of [0, 9, 1.5, '2']) {
      expect(replicasSchema.safeParse({ weather: wrong }).success).toBe(false)
    }
  })

  it('are refused of an agent that writes into a folder, and of none at all', () => {
    const writes = test.mounts.some(({ mode }) => mode === 'rw')
    expect(writes).toBe(true)
    expect(faultOfReplicas(test, 2)?.message).toContain('writes into a folder')
    expect(faultOfReplicas(test, 1)).toBeUndefined()
    expect(faultOfReplicas({ ...test, replicas: 2 }, 2)).toBeUndefined()
    expect(faultOfReplicas(catalogue.get('weather'), 8)).toBeUndefined()
    expect(faultOfReplicas(undefined, 2)?.message).toBe('is not an agent')
  })
})

describe('replicas of one’s own', () => {
  const own = { perUser: true, replicas: 2 }
  const slots = { owner: 0, anna: 3 }
  const most = limits.replicas

  it('are so many for each person, with numbers that are nobody else’s', () => {
    expect(numbersFor(own, 'owner', slots)).toEqual([0, 1])
    expect(numbersFor(own, 'anna', slots)).toEqual([3 * most, 3 * most + 1])
    expect(numbersOf(own, slots)).toEqual([0, 1, 3 * most, 3 * most + 1])
    const everybody = numbersOf({ perUser: true, replicas: most }, { owner: 0, anna: 1, ben: 2 })
    expect(new Set(everybody).size).toBe(3 * most)
  })

  it('are none for who has no slot, whatever they are called', () => {
    for (const name of ['ben', 'constructor', '']) expect(numbersFor(own, name, slots)).toEqual([])
  })

  it('are everybody’s where the agent is the household’s', () => {
    const shared = { perUser: false, replicas: 2 }
    expect(numbersFor(shared, 'ben', slots)).toEqual([0, 1])
    expect(numbersOf(shared, slots)).toEqual([0, 1])
    expect(personOfReplica(shared, 0, slots)).toBeUndefined()
  })

  it('are told by their number', () => {
    const whose = [0, 1, 2, 3 * most, 3 * most + 2].map((n) => personOfReplica(own, n, slots))
    expect(whose).toEqual(['owner', 'owner', undefined, 'anna', undefined])
  })
})

describe('slots', () => {
  it('are given once, and are never another name’s', () => {
    const first = withSlots(ownerAlone, ['anna', 'ben'])
    expect(first).toEqual({ owner: 0, anna: 1, ben: 2 })
    expect(withSlots(first ?? {}, ['zoe'])).toEqual({ owner: 0, anna: 1, ben: 2, zoe: 3 })
    expect(withSlots({ owner: 0, zoe: 7 }, ['zoe', 'anna'])).toEqual({ owner: 0, zoe: 7, anna: 8 })
  })

  it('end where numbers would not fit a message', () => {
    expect(withSlots({ owner: 0, zoe: 123 }, ['anna'])).toEqual({ owner: 0, zoe: 123, anna: 124 })
    expect(withSlots({ owner: 0, zoe: 124 }, ['anna'])).toBeUndefined()
  })

  it('are refused where two people have one', () => {
    expect(slotsSchema.safeParse({ owner: 0, anna: 0 }).success).toBe(false)
    expect(slotsSchema.safeParse({ owner: 0, anna: 1 }).success).toBe(true)
  })
})
