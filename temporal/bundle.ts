// Bundles the workflows ahead of time, so that a worker starts without webpack. The bundle must be
// made by the SDK version that runs it, with the failure converter that worker and clients use.

import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode, type Logger } from '@temporalio/worker'
import { failureConverterPath } from './data-converter.ts'

const workflows = (file: string) => fileURLToPath(new URL(`../workflows/${file}`, import.meta.url))

/** The code of the bundle, source map inlined. */
export async function bundleWorkflows(logger?: Logger): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: workflows('registered.ts'),
    preloadModules: [workflows('harden.ts')],
    failureConverterPath,
    ...(logger === undefined ? {} : { logger }),
  })
  return code
}
