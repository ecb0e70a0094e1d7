// Rego sources with one thing less: a rule that never holds, a condition that is not asked, an entry of
// a table that is not there. Reads sources as `opa fmt` writes them, which the same tests make sure of.

export interface Mutation {
  readonly kind: 'rule' | 'condition' | 'entry'
  /** The line that is changed. */
  readonly what: string
  readonly text: string
}

export function mutationsOf(source: string): readonly Mutation[] {
  const lines = source.split('\n')
  const changed = (index: number, to: string | undefined) =>
    lines.flatMap((line, at) => (at === index ? (to === undefined ? [] : [to]) : [line])).join('\n')
  const rules: Mutation[] = []
  const conditions: Mutation[] = []
  const entries: Mutation[] = []
  let inBody = false
  for (const [index, line] of lines.entries()) {
    const what = line.trim()
    const nextIsEnd = lines[index + 1] === '}'
    const isOnly = nextIsEnd && /\bif \{$/.test(lines[index - 1] ?? '')
    if (/^\S.*\bif \{$/.test(line)) {
      inBody = true
      rules.push({ kind: 'rule', what, text: changed(index, `${line}\n\tfalse`) })
    } else if (/^\S.*\bif \S/.test(line)) {
      rules.push({
        kind: 'rule',
        what,
        text: changed(index, line.replace(/\bif (.*)$/, 'if {\n\tfalse\n\t$1\n}')),
      })
    } else if (line === '}') {
      inBody = false
    } else if (inBody && isCondition(what)) {
      const text = changed(index, isOnly ? '\ttrue' : undefined)
      conditions.push({ kind: 'condition', what, text })
    } else if (/^\t"\w+": "[\w.]+",$/.test(line)) {
      entries.push({ kind: 'entry', what, text: changed(index, undefined) })
    }
  }
  return [...rules, ...conditions, ...entries]
}

/** What binds a variable cannot be left out; it is no condition by itself. */
function isCondition(line: string): boolean {
  return !/^some |:=/.test(line)
}
