// A server's XML, looked through before the library that reads it sees it: no document type (hence no
// entities), no depth, no crowd. Invariant: what passes here costs the reader time and memory in
// proportion to its bytes, of which the request has bounded the number. Pure.

import { SaxesParser } from 'saxes'
import { ActionFailure } from '../define-agent.ts'

/** A multistatus has ten levels; the library walks into each. */
const maxDepth = 40
/** A property is two elements; 20,000 objects with an ETag each are 120,000. */
const maxElements = 250_000

/** @throws ActionFailure CORRUPT_DATA for what is no XML or has a document type, LIMIT_EXCEEDED */
export function checkXml(text: string): void {
  const parser = new SaxesParser()
  let elements = 0
  let depth = 0
  parser.on('doctype', () => fail(corrupt('has a document type')))
  parser.on('opentag', () => {
    elements += 1
    depth += 1
    if (depth > maxDepth) fail(tooMuch('is nested too deeply'))
    if (elements > maxElements) fail(tooMuch('has too many elements'))
  })
  parser.on('closetag', () => {
    depth -= 1
  })
  // Its message quotes what was sent.
  parser.on('error', () => fail(corrupt('is not XML')))
  parser.write(text).close()
}

function fail(error: ActionFailure): never {
  throw error
}

function corrupt(what: string): ActionFailure {
  return new ActionFailure('CORRUPT_DATA', 'final', `what the server answered ${what}`)
}

function tooMuch(what: string): ActionFailure {
  return new ActionFailure('LIMIT_EXCEEDED', 'final', `what the server answered ${what}`)
}
