// Pictures that any terminal and any message can show: a line of small bars for a trend, one bar for an
// amount. Block elements of Unicode (U+2581 to U+2588), one column each. Pure; a number that is none is
// a gap, never a picture of something else.

/** From an eighth to the whole height. */
const heights = '▁▂▃▄▅▆▇█'
/** From one eighth to seven eighths of the width. */
const parts = '▏▎▍▌▋▊▉'
/** A wider picture is no longer one line of a terminal. */
const maxColumns = 200

/**
 * One character a value, lowest to highest of these values; all alike: the lowest height throughout.
 * `null`, NaN and infinities are a space: nothing is known there. At most 200 values, the last ones.
 * @example sparkline([1, 5, null, 8]) === '▁▅ █'
 */
export function sparkline(values: readonly (number | null)[]): string {
  const shown = values.slice(-maxColumns)
  const known = shown.filter(isKnown)
  const low = Math.min(...known)
  const high = Math.max(...known)
  return shown
    .map((value) => {
      if (!isKnown(value)) return ' '
      // Halves first: the range of two finite numbers may not be finite.
      const share = high === low ? 0 : (value / 2 - low / 2) / (high / 2 - low / 2)
      return heights[Math.round(share * (heights.length - 1))] ?? ' '
    })
    .join('')
}

/**
 * A bar of `value` where `most` fills `width` columns, in eighths of a column; not padded. Less than
 * nothing, or nothing to compare with, is empty; more than `most` is full; a little more than nothing
 * is still to be seen.
 * @example bar(3, 8, 4) === '█▌'
 */
export function bar(value: number, most: number, width: number): string {
  if (!isKnown(value) || !isKnown(most) || value <= 0 || most <= 0) return ''
  const columns = Math.min(Math.max(Math.trunc(width) || 0, 0), maxColumns)
  const wanted = Math.round(Math.min(value / most, 1) * columns * 8)
  const eighths = columns === 0 ? 0 : Math.max(wanted, 1)
  const rest = eighths % 8
  return '█'.repeat(Math.floor(eighths / 8)) + (rest === 0 ? '' : (parts[rest - 1] ?? ''))
}

function isKnown(value: number | null): value is number {
  return value !== null && Number.isFinite(value)
}
