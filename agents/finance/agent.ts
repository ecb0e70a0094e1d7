// The finance agent: a journal that is read through hledger (read-actions.ts), and statements that become
// entries of a journal of its own (import.ts); this file only binds them to the manifest.

import { defineAgent } from '../define-agent.ts'
import { createProgramRunner } from '../run-program.ts'
import { importFile, revertImport, syncAccount } from './import.ts'
import { manifest } from './manifest.ts'
import { balances, budgetCheck, recurring, spending, transactions } from './read-actions.ts'

export const agent = defineAgent(
  manifest,
  {
    balances,
    transactions,
    spending,
    recurring,
    budget_check: budgetCheck,
    import: async (args, context) => importFile(args, context),
    sync: syncAccount,
    revert: async (args, context) => revertImport(args, context),
  },
  createProgramRunner,
)
