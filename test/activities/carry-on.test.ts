// One local activity over several waves: when it goes on, and everything that ends it early.

import { describe, expect, it } from 'vitest'
import { type CarryOnPorts, carryOn } from '../../activities/carry-on.ts'
import type { AheadCall, StepInput, StepResult, WaveResult } from '../../workflows/contract.ts'

const source = (step: string, ref: string | null = null) => ({ step, iteration: 0, ref })
const member = (step: string, needs: readonly string[] = []) => {
  const input: StepInput = {
    ...{ planRef: 'p', digest: 'd', requestId: 'r', step, iteration: 0, kind: 'do' },
    ...{ sources: needs.map((need) => source(need)), attempts: 2 },
  }
  return { type: 'notes.list', input }
}
const call: AheadCall = {
  waves: [[member('a')], [member('b', ['a']), member('c', ['a'])], [member('d', ['b', 'c'])]],
  answer: { requestId: 'r', planRef: 'p', sources: [source('a'), source('d')] },
  beginWithinMs: 1_500,
  endWithinMs: 5_000,
}
const settled = (step: string): StepResult => ({
  ...{ outcome: 'settled', resultRef: `ref-${step}`, attempts: 1, durationMs: 1 },
})

interface Seen extends CarryOnPorts {
  readonly inputs: StepInput[]
  readonly log: string[]
  time: number
  leaving: boolean
}

/** `script`: what comes of a step that does not settle, and what else happens meanwhile. */
function createPorts(
  script: (step: string, ports: Seen) => WaveResult | undefined | Promise<WaveResult>,
): Seen {
  const ports: Seen = {
    ...{ inputs: [], log: [], time: 5_000, leaving: false },
    over: new Promise(() => undefined),
    async run({ input }) {
      const { step } = input
      ports.inputs.push(input)
      ports.log.push(step)
      const scripted = await script(step, ports)
      return scripted === undefined ? settled(step) : scripted
    },
    async compose({ sources }) {
      ports.log.push('answer')
      return { answerRef: sources.map(({ ref }) => ref).join() }
    },
    now: () => ports.time,
    isLeaving: () => ports.leaving,
  }
  return ports
}

describe('carrying on', () => {
  it('goes from wave to wave while all settles, and composes the answer', async () => {
    const ports = createPorts(() => undefined)
    const result = await carryOn(call, ports)
    expect(ports.log).toEqual(['a', 'b', 'c', 'd', 'answer'])
    expect(result.waves.map((wave) => wave.length)).toEqual([1, 2, 1])
    expect(result.answer).toEqual({ answerRef: 'ref-a,ref-d' })
  })

  it('gives each step the results that it builds on, and touches no other reference', async () => {
    const ports = createPorts(() => undefined)
    const before = source('before', 'ref-before')
    const last = member('b', ['a'])
    const input = { ...last.input, sources: [before, ...last.input.sources] }
    await carryOn(
      { waves: [[member('a')], [{ ...last, input }]], beginWithinMs: 1, endWithinMs: 5_000 },
      ports,
    )
    expect(ports.inputs.at(-1)?.sources).toEqual([before, source('a', 'ref-a')])
  })

  it('takes what an earlier task has settled for settled', async () => {
    const ports = createPorts((step) => ({ ...settled(step), outcome: 'already-settled' }))
    expect((await carryOn(call, ports)).waves).toHaveLength(3)
  })

  const ends: Readonly<Record<string, WaveResult>> = {
    failed: { ...settled('b'), outcome: 'failed', resultRef: null },
    denied: { ...settled('b'), outcome: 'denied', resultRef: null },
    unknown: { ...settled('b'), outcome: 'unknown', resultRef: null },
    skipped: { ...settled('b'), outcome: 'skipped', resultRef: null },
    waiting: { ...settled('b'), outcome: 'waiting', resultRef: null },
    'settled as a rerun': { ...settled('b'), rerun: 1 },
    'turned away': 'turned-away',
    'without an outcome': null,
  }
  it.each(Object.entries(ends))('begins nothing behind a step that is %s', async (_, end) => {
    const ports = createPorts((step) => (step === 'b' ? end : undefined))
    const result = await carryOn(call, ports)
    expect(ports.log).toEqual(['a', 'b', 'c'])
    expect(result).toEqual({ waves: [[settled('a')], [end, settled('c')]] })
  })

  it('begins nothing late, and nothing while its worker ends', async () => {
    const late = createPorts((step, ports) => {
      if (step === 'a') ports.time += call.beginWithinMs
      return undefined
    })
    expect((await carryOn(call, late)).waves).toHaveLength(1)
    const leaving = createPorts((step, ports) => {
      if (step === 'd') ports.leaving = true
      return undefined
    })
    const result = await carryOn(call, leaving)
    expect(leaving.log).toEqual(['a', 'b', 'c', 'd'])
    expect(result).not.toHaveProperty('answer')
  })

  it('tells what it knows when its time is over, and begins nothing more', async () => {
    let end: () => void = () => undefined
    const over = new Promise<void>((resolve) => {
      end = resolve
    })
    const ports = createPorts((step) => {
      if (step === 'b') return new Promise(() => undefined)
      if (step === 'c') setImmediate(end)
      return undefined
    })
    const result = await carryOn(call, { ...ports, over })
    expect(result).toEqual({ waves: [[settled('a')], [null, settled('c')]] })
    expect(ports.log).toEqual(['a', 'b', 'c'])
  })

  it('does not wait for an answer longer than that', async () => {
    let end: () => void = () => undefined
    const over = new Promise<void>((resolve) => {
      end = resolve
    })
    const ports = createPorts(() => undefined)
    const compose = () => {
      end()
      return new Promise<never>(() => undefined)
    }
    const result = await carryOn(call, { ...ports, over, compose })
    expect(result.waves).toHaveLength(3)
    expect(result).not.toHaveProperty('answer')
  })

  it('runs the first wave whatever the time is', async () => {
    const ports = createPorts(() => undefined)
    expect(await carryOn({ ...call, beginWithinMs: 0 }, ports)).toEqual({ waves: [[settled('a')]] })
  })

  it('leaves an answer that cannot be composed to the run', async () => {
    const ports = createPorts(() => undefined)
    const compose = () => Promise.reject(new Error('no space'))
    const result = await carryOn(call, { ...ports, compose })
    expect(result.waves).toHaveLength(3)
    expect(result).not.toHaveProperty('answer')
  })

  it('composes nothing that was not asked for', async () => {
    const ports = createPorts(() => undefined)
    const { answer: _, ...unasked } = call
    await carryOn(unasked, ports)
    expect(ports.log).toEqual(['a', 'b', 'c', 'd'])
  })
})
