// Apple's export.xml as a stream of records: never more of it in memory than a part of the file and one
// element. Entities that a document type declares are not expanded (saxes knows the five of XML alone), so
// there is no bomb to go off. Invariant: a file that is cut off, nested deeply, of another encoding or has
// an element that never ends is refused; what was told before that must not count.

import { TextDecoder } from 'node:util'
import { SaxesParser } from 'saxes'
import { ActionFailure } from '../define-agent.ts'
import { corrupt, tooMuch } from './failures.ts'

export type Attributes = Readonly<Partial<Record<string, string>>>

export interface ExportReader {
  record(attributes: Attributes): void
  workout(attributes: Attributes, statistics: readonly Attributes[]): void
  exportDate(value: string): void
}

/** The deepest that Apple writes is a sample inside a list inside a record. */
const maxDepth = 16
/** Text without a complete element: the longest real one, the document type, is 10 KB. */
const maxSilence = 1024 * 1024
/** A workout has about ten. */
const maxStatistics = 100

/**
 * @param parts the file's bytes, in parts of any size
 * @throws ActionFailure CORRUPT_DATA, LIMIT_EXCEEDED; and whatever the reader throws
 */
export async function readExport(
  parts: AsyncIterable<Uint8Array>,
  reader: ExportReader,
): Promise<void> {
  const feed = createFeed(reader)
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for await (const part of parts) feed.write(decode(decoder, part))
  feed.end(decode(decoder))
}

function decode(decoder: TextDecoder, part?: Uint8Array): string {
  try {
    return part === undefined ? decoder.decode() : decoder.decode(part, { stream: true })
  } catch (error) {
    throw corrupt('the export is not UTF-8', error)
  }
}

/** What a `write` of the parser has to know of itself. */
interface Position {
  depth: number
  /** Since an element began or ended. */
  silent: number
  workout: { readonly attributes: Attributes; readonly statistics: Attributes[] } | undefined
}

function createFeed(reader: ExportReader) {
  const parser = new SaxesParser<{ xmlns: false; position: false }>({
    xmlns: false,
    position: false,
  })
  const position: Position = { depth: 0, silent: 0, workout: undefined }
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') {
      throw corrupt('the export says that it is not UTF-8')
    }
  })
  parser.on('opentag', ({ name, attributes }) => {
    position.silent = 0
    position.depth += 1
    if (position.depth > maxDepth) throw tooMuch('the export is nested too deeply')
    begin(name, attributes, position, reader)
  })
  parser.on('closetag', () => {
    position.silent = 0
    position.depth -= 1
    if (position.depth !== 1 || position.workout === undefined) return
    reader.workout(position.workout.attributes, position.workout.statistics)
    position.workout = undefined
  })
  parser.on('error', (error) => {
    throw corrupt('the export is not well-formed XML', error)
  })
  return {
    write(text: string) {
      position.silent += text.length
      guard(() => parser.write(text))
      if (position.silent > maxSilence) throw tooMuch('the export has an element without an end')
    },
    end(text: string) {
      guard(() => parser.write(text).close())
    },
  }
}

function begin(
  name: string,
  attributes: Attributes,
  position: Position,
  reader: ExportReader,
): void {
  if (position.depth === 1) {
    // export_cda.xml, of the same archive, is another document about the same person.
    if (name !== 'HealthData') throw corrupt('this is not the export.xml of Apple Health')
  } else if (position.depth === 2) {
    // Records inside a Correlation stand beside it too.
    if (name === 'Record') reader.record(attributes)
    else if (name === 'Workout') position.workout = { attributes, statistics: [] }
    else if (name === 'ExportDate') reader.exportDate(attributes['value'] ?? '')
  } else if (name === 'WorkoutStatistics' && position.depth === 3) {
    const statistics = position.workout?.statistics
    if (statistics !== undefined && statistics.length < maxStatistics) statistics.push(attributes)
  }
}

/** What the parser throws by itself is about the text; our own words pass. */
function guard(parse: () => unknown): void {
  try {
    parse()
  } catch (error) {
    if (error instanceof ActionFailure) throw error
    if (error instanceof Error && error.name === 'Error') {
      throw corrupt('the export is not well-formed XML', error)
    }
    throw error
  }
}
