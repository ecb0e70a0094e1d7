// What a program or a server answers in JSON, judged by its shape. No message quotes what it says. Pure.

import type { z } from 'zod'
import { corrupt } from './failures.ts'

/**
 * @param who answers, for the message
 * @throws ActionFailure CORRUPT_DATA
 */
export function readJson<Shape extends z.ZodType>(
  who: string,
  text: string,
  shape: Shape,
): z.output<Shape> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw corrupt(who, 'answers with something else than JSON')
  }
  const read = shape.safeParse(value)
  if (read.success) return read.data
  const at = read.error.issues[0]?.path.map(String).join('/') ?? ''
  throw corrupt(who, `answers in another shape at /${at}`)
}
