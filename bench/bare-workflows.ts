// What the DAG is compared with: the same shape of activities that do nothing, without plan, notary,
// agents or encryption. What remains is Temporal.

import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow'

interface NoOp {
  noOp(): Promise<void>
}
const regular = proxyActivities<NoOp>({ startToCloseTimeout: 10_000 })
const local = proxyLocalActivities<NoOp>({ startToCloseTimeout: 10_000 })

async function dag(activity: () => Promise<void>): Promise<void> {
  await activity()
  await Promise.all(Array.from({ length: 8 }, activity))
  await activity()
}

/** 1-8-1, each an activity of its own. */
export async function bareDag(): Promise<void> {
  await dag(() => regular.noOp())
}

/** 1-8-1, inside workflow tasks. */
export async function bareLocalDag(): Promise<void> {
  await dag(() => local.noOp())
}
