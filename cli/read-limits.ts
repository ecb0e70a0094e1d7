// What was typed after `--deadline` and `--max-usd`, as the limits of a request.

import { Temporal } from 'temporal-polyfill'
import { limits } from '../plan/limits.ts'
import { mostMicroUsd, type RequestLimits } from '../plan/request-limits.ts'
import { startInstant } from '../plan/start-time.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import type { LimitWords } from './limit-options.ts'

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Undefined where nothing was typed. @param zone IANA name, of a time without one @throws CommandError */
export function readLimits(
  { deadline, maxUsd }: LimitWords,
  { now, zone }: { readonly now: number; readonly zone: string },
): RequestLimits | undefined {
  if (deadline === undefined && maxUsd === undefined) return undefined
  return {
    ...(maxUsd === undefined ? {} : { maxMicroUsd: toMicroUsd(maxUsd) }),
    ...(deadline === undefined ? {} : { deadline: toDeadline(deadline, { now, zone }) }),
  }
}

function toMicroUsd(text: string): number {
  const [, whole = '', part = ''] = /^(\d{1,7})(?:\.(\d{1,6}))?$/.exec(text) ?? []
  const microUsd = Number(whole) * 1_000_000 + Number(part.padEnd(6, '0'))
  if (whole === '' || microUsd > mostMicroUsd) {
    throw wrong(`--max-usd ${text} is no amount`, '--max-usd 0.05')
  }
  return microUsd
}

function toDeadline(
  text: string,
  base: { readonly now: number; readonly zone: string },
): RequestLimits['deadline'] {
  const [, count = '', unit = ''] = /^(\d{1,7})([smhd])$/.exec(text) ?? []
  if (count !== '') {
    const withinMs = Number(count) * (unitMs[unit as keyof typeof unitMs] ?? 0)
    if (withinMs >= 1 && withinMs <= limits.runMs) return { withinMs }
    throw wrong(`--deadline ${text} is not within the 30 days of a run`, '--deadline 15m')
  }
  const at = instantOf(text, base)
  if (at === undefined) {
    throw wrong(`--deadline ${text} is neither a time nor how long`, '--deadline 15m   or   18:00')
  }
  if (at < base.now) throw wrong(`--deadline ${text} is over`, '--deadline 15m   or a later time')
  return { at }
}

/** A time of day is the next one; with a zone or an offset it is what it says. */
function instantOf(
  text: string,
  { now, zone }: { readonly now: number; readonly zone: string },
): number | undefined {
  try {
    if (/(?:[zZ]|[+-]\d{2}:?\d{2})$/.test(text) && text.includes('T')) {
      return Temporal.Instant.from(text).epochMilliseconds
    }
    const isLocal = /^(?:\d{4}-\d{2}-\d{2}T)?\d{2}:\d{2}(?::\d{2})?$/.test(text)
    return isLocal ? startInstant({ local: text }, { base: now, zone }) : undefined
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function wrong(message: string, next: string): CommandError {
  return new CommandError(message, { exitCode: exitCodes.usage, next })
}
