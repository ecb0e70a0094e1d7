// Reads a bus server configuration back, for tests that compare it with the contract. Only the part
// of the syntax that generated files use; anything else is an error, so that nothing goes unseen.

export type ConfValue =
  | string
  | number
  | boolean
  | readonly ConfValue[]
  | { readonly [key: string]: ConfValue }

export function parseNatsConf(text: string): { readonly [key: string]: ConfValue } {
  const tokens = tokenize(text)
  let position = 0
  const next = (): string => {
    const token = tokens[position++]
    if (token === undefined) throw new Error('the configuration ends too early')
    return token
  }
  const skipCommas = () => {
    while (tokens[position] === ',') position++
  }
  const readMap = (end: string | undefined): { readonly [key: string]: ConfValue } => {
    const map = new Map<string, ConfValue>()
    for (skipCommas(); tokens[position] !== end; skipCommas()) {
      const key = unquote(next())
      if (map.has(key)) throw new Error(`key ${key} occurs twice`)
      if (tokens[position] === ':') position++
      map.set(key, readValue())
    }
    position++
    return Object.fromEntries(map)
  }
  const readList = (): readonly ConfValue[] => {
    const items: ConfValue[] = []
    for (skipCommas(); tokens[position] !== ']'; skipCommas()) items.push(readValue())
    position++
    return items
  }
  const readValue = (): ConfValue => {
    const token = next()
    if (token === '{') return readMap('}')
    if (token === '[') return readList()
    if (token.startsWith('"')) return unquote(token)
    if (token === 'true' || token === 'false') return token === 'true'
    if (/^\d+$/.test(token)) return Number(token)
    throw new Error(`unexpected ${token}`)
  }
  return readMap(undefined)
}

function tokenize(text: string): readonly string[] {
  const pattern = /\s+|#[^\n]*|("(?:[^"\\]|\\.)*"|[{}[\]:,]|[A-Za-z0-9_]+)/y
  const tokens: string[] = []
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex
    const match = pattern.exec(text)
    if (match === null) throw new Error(`unexpected text: ${text.slice(at, at + 20)}`)
    if (match[1] !== undefined) tokens.push(match[1])
  }
  return tokens
}

function unquote(token: string): string {
  return token.startsWith('"') ? token.slice(1, -1).replaceAll(/\\(.)/g, '$1') : token
}
