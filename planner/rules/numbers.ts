// Whole numbers and stretches of time in words or digits. All of the words have to be one. Pure.

const small = [
  ...['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'],
  ...['eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen'],
  ...['nineteen', 'twenty'],
]
const tens: Readonly<Record<string, number>> = {
  thirty: 30,
  forty: 40,
  fifty: 50,
  sixty: 60,
  ninety: 90,
}

/** `7`, `seven`. */
export function readNumber(words: readonly string[]): number | undefined {
  const [word = '', ...more] = words
  if (more.length > 0) return undefined
  if (/^\d{1,6}$/.test(word)) return Number(word)
  const index = small.indexOf(word)
  if (index >= 0) return index
  return Object.hasOwn(tens, word) ? tens[word] : undefined
}

const units: readonly (readonly [pattern: RegExp, minutes: number])[] = [
  [/^(?:m|min|mins|minute|minutes)$/, 1],
  [/^(?:h|hr|hrs|hour|hours)$/, 60],
]

/** `10 minutes`, `45min`, `an hour`, `half an hour`, `two hours` -> minutes. */
export function readDuration(words: readonly string[]): number | undefined {
  const plain = words.join(' ')
  if (plain === 'half an hour') return 30
  if (/^(?:an|one) hour and a half$/.test(plain)) return 90
  const [first = '', second, ...more] = words
  if (more.length > 0) return undefined
  const [, digits = '', glued = ''] = /^(\d{1,6})([a-z]+)$/.exec(first) ?? []
  if (second === undefined) return digits === '' ? undefined : times(Number(digits), glued)
  const count = first === 'a' || first === 'an' ? 1 : readNumber([first])
  return count === undefined ? undefined : times(count, second)
}

function times(count: number, unit: string): number | undefined {
  const minutes = units.find(([pattern]) => pattern.test(unit))?.[1]
  return minutes === undefined || count < 1 ? undefined : count * minutes
}
