// Moves messages and stacks of failures into an encrypted payload; by itself the SDK writes them in
// clear. Loaded by path, by the worker, by every client and into the workflow bundle.

import { DefaultFailureConverter } from '@temporalio/common'

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true })
