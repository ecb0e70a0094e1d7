// The DAG of a plan: who waits for whom. Iterative, because a written plan may be a thousand deep.

interface Node {
  readonly id: string
  readonly needs: readonly string[]
}

/** Steps that may run side by side, level by level; steps of a cycle are in no level. */
export function levelsOf(steps: readonly Node[]): readonly (readonly string[])[] {
  const waiting = new Map(steps.map((step) => [step.id, step.needs.length]))
  const children = new Map<string, string[]>(steps.map((step) => [step.id, []]))
  for (const step of steps) for (const need of step.needs) children.get(need)?.push(step.id)
  const levels: string[][] = []
  let ready = steps.filter((step) => step.needs.length === 0).map((step) => step.id)
  while (ready.length > 0) {
    levels.push(ready)
    const next: string[] = []
    for (const child of ready.flatMap((id) => children.get(id) ?? [])) {
      const left = (waiting.get(child) ?? 0) - 1
      waiting.set(child, left)
      if (left === 0) next.push(child)
    }
    ready = next
  }
  return levels
}

/** The steps of one cycle, each before the one that waits for it, or undefined when there is none. */
export function findCycle(steps: readonly Node[]): readonly string[] | undefined {
  const settled = new Set(levelsOf(steps).flat())
  const left = new Map(steps.filter((step) => !settled.has(step.id)).map((step) => [step.id, step]))
  const path: string[] = []
  // Every step that is left waits for another one that is left, so this walk must come round.
  let current = left.keys().next().value
  while (current !== undefined) {
    const at = path.indexOf(current)
    if (at >= 0) {
      const [first = current, ...rest] = path.slice(at)
      return [first, ...rest.toReversed()]
    }
    path.push(current)
    current = left.get(current)?.needs.find((need) => left.has(need))
  }
  return undefined
}

/** Cycles without a step in common, so that each knot of a plan is told of; none means none is left. */
export function findCycles(steps: readonly Node[], most: number): readonly (readonly string[])[] {
  const cycles: (readonly string[])[] = []
  let left = steps
  while (cycles.length < most) {
    const known = new Set(left.map((step) => step.id))
    // A need that names no step is another issue, and would make every step after it look stuck.
    const cycle = findCycle(
      left.map(({ id, needs }) => ({ id, needs: needs.filter((need) => known.has(need)) })),
    )
    if (cycle === undefined) return cycles
    cycles.push(cycle)
    left = left.filter((step) => !cycle.includes(step.id))
  }
  return cycles
}
