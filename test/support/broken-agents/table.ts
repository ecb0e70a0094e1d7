// Each broken agent and the one finding that it is made for. A code that no agent brings about is a check
// that nobody has seen fail: the test compares the two lists.

import type { FindingCode } from '../../../agents/check/contract.ts'

/** Found by the checks that need no process of their own. */
export const brokenAgents: readonly (readonly [folder: string, code: FindingCode])[] = [
  ['not-loaded', 'NOT_LOADED'],
  ['long-time', 'MANIFEST'],
  ['no-role', 'ROLE_MISSING'],
  ['label-nowhere', 'LABEL_NOWHERE'],
  ['no-handler', 'HANDLER_MISSING'],
  ['no-example', 'EXAMPLE_MISSING'],
  ['wrong-example', 'EXAMPLE_REFUSED'],
  ['failing-example', 'EXAMPLE_FAILED'],
  ['does-nothing', 'CHANGES_NOTHING'],
  ['loose-input', 'INPUT_LOOSE'],
  ['crashing-input', 'INPUT_CRASH'],
  ['untyped-failure', 'UNTYPED_FAILURE'],
  ['no-answer', 'NO_ANSWER'],
  ['off-schema', 'RESULT_OFF_SCHEMA'],
  ['large-result', 'RESULT_TOO_LARGE'],
  ['secret-result', 'RESULT_REFUSED'],
  ['reading-writes', 'READ_CHANGES'],
  ['wet-dry-run', 'DRY_RUN_CHANGES'],
  ['second-effect', 'SECOND_EFFECT'],
  ['second-result', 'SECOND_RESULT'],
  ['false-absent', 'ABSENT_CHANGES'],
  ['failing-undo', 'UNDO_FAILED'],
  ['incomplete-undo', 'UNDO_INCOMPLETE'],
  ['undeclared-host', 'EGRESS_REFUSED'],
  ['undeclared-mount', 'OUTSIDE'],
  ['undeclared-secret', 'OUTSIDE'],
]

/** Found only by the command: the process is watched, the bundle looked into, the sandbox real. */
export const brokenProcesses: readonly (readonly [folder: string, code: FindingCode])[] = [
  ['own-network', 'NETWORK'],
  ['reads-outside', 'OUTSIDE'],
  ['starts-programs', 'BUNDLE'],
  ['holds-the-check', 'BUNDLE'],
  ['makes-code', 'SANDBOX'],
  ['ends-the-process', 'ENDED'],
]
