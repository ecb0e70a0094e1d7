// The soak's report for people, and whether what it says is as it should be. How much memory may grow
// is for the reader to judge: an hour says nothing about a month.

import type { SoakReport } from './soak.ts'

/** Nothing doubled, lost or missing, and an audit that agrees. An interrupted soak has shown nothing. */
export function isGood({ interrupted, runs, firings, audit }: SoakReport): boolean {
  return (
    !interrupted &&
    runs !== null &&
    runs.duplicates === 0 &&
    runs.lost === 0 &&
    runs.inexcusable.length === 0 &&
    firings.every(({ missing }) => missing.length === 0) &&
    audit?.ok === true
  )
}

export function toText(report: SoakReport): string {
  const { durationMs, availability, runs, firings, processes, sizes, faults, audit } = report
  const lines = [
    `soaked for ${Math.round(durationMs / 1_000)} s${report.interrupted ? ', interrupted' : ''}`,
    '',
    'availability',
    ...Object.entries(availability).map(
      ([part, { asked, answered, fraction }]) =>
        `  ${part}: ${fraction === null ? 'never asked' : `${(fraction * 100).toFixed(2)} % (${answered} of ${asked})`}`,
    ),
    '',
    'runs, those of the schedules among them',
    runs === null
      ? '  not judged'
      : `  ${runs.runs}: ${runs.settled} settled, ${runs.failed} failed, ${runs.unknown} unknown, ${runs.duplicates} doubled, ${runs.lost} lost`,
    ...(runs?.details ?? []).map((detail) => `  ${detail}`),
    '',
    'firings',
    ...firings.flatMap(({ schedule, due, outcomes, missing, others }) => [
      `  ${schedule}: ${due} due; ${words(outcomes)}`,
      ...missing.map((at) => `    missing: ${at}`),
      ...others.map(
        (one) => `    ${new Date(one.at).toISOString()} ${one.outcome} ${one.code ?? ''}`,
      ),
    ]),
    '',
    'processes: memory (own share where the kernel says it) and open files, each with its growth',
    ...processes.map(({ name, pid, rssKb, pssKb, files }) => {
      const memory = pssKb ?? rssKb
      return `  ${name} (${pid}): ${mib(memory.first)} -> ${mib(memory.last)} MiB, ${perHour(memory.perHour)} KiB/h; files ${files.first} -> ${files.last}, ${perHour(files.perHour)}/h`
    }),
    '',
    'on disk',
    ...sizes.map(
      ({ name, firstBytes, lastBytes, bytesPerHour }) =>
        `  ${name}: ${firstBytes} -> ${lastBytes} bytes, ${perHour(bytesPerHour)}/h`,
    ),
    '',
    `faults: ${words(faults) || 'none'}`,
    `audit: ${audit === null ? 'not verified' : audit.ok ? `verified, ${audit.rows} rows` : `does not agree (${audit.gaps} gaps)`}`,
  ]
  return `${lines.join('\n')}\n`
}

function words(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
}

function mib(kilobytes: number): string {
  return (kilobytes / 1_024).toFixed(1)
}

function perHour(slope: number | null): string {
  if (slope === null) return '?'
  return slope > 0 ? `+${slope}` : String(slope)
}
