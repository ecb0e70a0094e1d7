// The worker's log: JSON lines on standard output, with what is needed to find a run and nothing of
// its content. Errors are named by class and code and located by their stack's frames; their message
// may quote what an agent sent, so it is left out unless it is one of ours.

import type { Logger as SdkLogger } from '@temporalio/worker'
import { type Logger, pino } from 'pino'

export function createLog(bindings: Readonly<Record<string, string>>): Logger {
  return pino({ base: { process: 'worker', ...bindings } })
}

/** Carries the SDK's own messages over; its metadata is reduced to ids. */
export function toSdkLogger(log: Logger): SdkLogger {
  const write = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') => {
    return (message: string, meta?: Readonly<Record<string, unknown>>) => {
      log[level](pickIds(meta ?? {}), message)
    }
  }
  const [trace, debug, info] = [write('trace'), write('debug'), write('info')]
  const [warn, error] = [write('warn'), write('error')]
  const byLevel = { TRACE: trace, DEBUG: debug, INFO: info, WARN: warn, ERROR: error }
  return {
    log: (level, message, meta) => byLevel[level](message, meta),
    trace,
    debug,
    info,
    warn,
    error,
  }
}

const ids = ['workflowId', 'runId', 'workflowType', 'activityType', 'activityId', 'attempt']

function pickIds(meta: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const found = ids.flatMap((id) => (id in meta ? [[id, meta[id]] as const] : []))
  const { error } = meta
  return {
    ...Object.fromEntries(found),
    ...(error === undefined ? {} : { error: nameError(error) }),
  }
}

/** Class, code and frames of an error and of what caused it. */
export function nameError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return {
    name: error.name,
    ...('code' in error ? { code: String(error.code) } : {}),
    at: frames.slice(0, 6).map((line) => line.trim()),
    ...(error.cause === undefined ? {} : { cause: nameError(error.cause) }),
  }
}
