// Pictures in answers (bars and lines of small bars, agents/text-charts.ts) as the terminal in front of the
// person can show them: narrower where a line would break, and in ASCII where it has no block elements.
// Data that goes elsewhere than to a terminal keeps them as they are. No picture has a colour, so NO_COLOR
// changes nothing. Pure.

export interface Terminal {
  /** Undefined where it does not say. */
  readonly columns: number | undefined
  /** Whether it shows U+2581 to U+258F. */
  readonly hasBlocks: boolean
}

/** What begins a line and is as long as something is large; a line of small bars has other ones in it. */
const bar = /(?<=^\s*)(?:█+[▏▎▍▌▋▊▉]?|[▏▎▍▌▋▊▉])(?= )/

/** @param text one answer, of any number of lines */
export function fitPictures(text: string, { columns, hasBlocks }: Terminal): string {
  const lines = text.split('\n')
  const shrunk = columns === undefined ? lines : shrinkBars(lines, columns)
  return hasBlocks ? shrunk.join('\n') : shrunk.map(toAscii).join('\n')
}

/** Bars of one text are compared with each other, so that all of them shrink alike, but not to nothing. */
function shrinkBars(lines: readonly string[], columns: number): readonly string[] {
  const charts = lines.flatMap((line) => {
    const [drawn] = bar.exec(line) ?? []
    return drawn === undefined ? [] : [{ bar: drawn.length, line: line.length }]
  })
  const excess = Math.max(0, ...charts.map(({ line }) => line - columns))
  const widest = Math.max(0, ...charts.map((one) => one.bar))
  if (excess === 0) return lines
  const share = Math.max(1, widest - excess) / widest
  return lines.map((line) =>
    line.replace(bar, (drawn) => '█'.repeat(Math.max(1, Math.round(drawn.length * share)))),
  )
}

const heights = '▁▂▃▄▅▆▇█'
/** As many heights as that, each distinct from the next where a person can tell. */
const asciiHeights = '_.,-~+*#'

function toAscii(line: string): string {
  // Of a bar each column counts as one; what is less than one is still to be seen.
  return line
    .replace(bar, (drawn) => '#'.repeat(drawn.length))
    .replace(/[▁-█]/g, (one) => asciiHeights[heights.indexOf(one)] ?? one)
}
