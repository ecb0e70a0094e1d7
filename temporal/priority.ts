// The four priorities of a request as Temporal's task priorities: what is asked first when a worker
// has no hands free. The server keeps a queue for each (https://docs.temporal.io/develop/task-queue-priority-fairness);
// children and activities have their workflow's. An order, not a share: what is urgent goes first
// however long the rest has waited.

import type { Priority as TaskPriority } from '@temporalio/common'
import { type Priority, priorities } from '../plan/schema.ts'
import { priorityKeys as keys } from '../workflows/run-options.ts'

export function toTaskPriority(priority: Priority): TaskPriority {
  return { priorityKey: keys[priority] }
}

/** Of a task; MEDIUM where the server says nothing that we know. */
export function fromTaskPriority(priority: TaskPriority | undefined): Priority {
  return priorities.find((one) => keys[one] === priority?.priorityKey) ?? 'MEDIUM'
}
