// `--planner` of whatever takes words: who makes a plan of them. Here, because what may be typed is loaded
// before any command is.

import { Option } from 'commander'

const planners = ['rules', 'model'] as const
export type PlannerChoice = (typeof planners)[number]

export function plannerOption(): Option {
  const what = 'who makes the plan; unset: recipes, and a model where none fits and one is set up'
  return new Option('--planner <who>', what).choices(planners)
}
