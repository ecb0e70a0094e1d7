// What the agent wants of a backup program, and how it can fail. One implementation for each program
// (restic.ts, borg.ts); what is done with it is the same for both.

import type { ActionContext } from '../define-agent.ts'
import { ActionFailure } from '../define-agent.ts'

export interface Snapshot {
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly takenAt: number
  readonly host: string | null
  readonly paths: readonly string[]
  /** Of all its files, where the list says so. */
  readonly bytes: number | null
}

export interface FileEntry {
  readonly path: string
  readonly bytes: number
}

export interface Damage {
  /** Below the repository. */
  readonly file: string
  /** Backed up files of which it has a part. */
  readonly holds: readonly string[]
}

export interface CheckResult {
  readonly part: { readonly n: number; readonly of: number } | null
  readonly ok: boolean
  readonly damaged: readonly Damage[]
  readonly messages: readonly string[]
}

export interface Change {
  readonly path: string
  readonly kind: 'added' | 'removed' | 'changed'
}

export interface BackupTool {
  readonly program: 'restic' | 'borg'
  version(): Promise<string>
  /** The oldest first. */
  snapshots(): Promise<readonly Snapshot[]>
  /** @param part which part of the data to read; null: structure only */
  check(part: { readonly n: number; readonly of: number } | null): Promise<CheckResult>
  /** Regular files, below these paths where there are any. */
  files(snapshot: string, paths: readonly string[]): Promise<readonly FileEntry[]>
  /** A file's bytes as the program streams them; null where it cannot read it. */
  content(snapshot: string, path: string, maxBytes: number): Promise<Uint8Array | null>
  /** What it can of these files, each at its own path below the folder. */
  restore(snapshot: string, paths: readonly string[], into: string): Promise<void>
  changes(a: string, b: string): Promise<readonly Change[]>
  /** Bytes of all files of each. */
  sizes(snapshots: readonly Snapshot[]): Promise<readonly number[]>
}

/** What a tool works with. */
export interface Surroundings {
  readonly context: Pick<ActionContext, 'run'>
  /** Of the repository. */
  readonly folder: string
  readonly password: string
  /** Private, empty at first, removed afterwards. */
  readonly scratch: string
}

export type ToolFault = 'WRONG_PASSWORD' | 'UNREADABLE'

/** The program could not work with the repository at all. */
export class ToolError extends Error {
  override readonly name = 'ToolError'
  readonly fault: ToolFault
  constructor(fault: ToolFault, message: string) {
    super(message)
    this.fault = fault
  }
}

export function toFailure({ fault, message }: ToolError): ActionFailure {
  return fault === 'WRONG_PASSWORD'
    ? new ActionFailure('INVALID_INPUT', 'final', "the password is not the repository's")
    : new ActionFailure('CORRUPT_DATA', 'final', message)
}

/** Of what a program lists: half a million files, and the memory of the sandbox has room for it. */
export const maxListBytes = 96 * 1024 * 1024
export const maxWordsBytes = 4 * 1024 * 1024
const maxMessages = 10
const maxMessage = 300

/** The first of a program's words, each cut to what a result may hold. */
export function toMessages(lines: readonly string[]): readonly string[] {
  return lines
    .map((line) => plainWords(line))
    .filter((line) => line !== '')
    .slice(0, maxMessages)
}

/** As one line that can be seen, and that has an end. */
export function plainWords(text: string): string {
  // What is cut off is not looked through.
  const words = text
    .slice(0, 10 * maxMessage)
    .replaceAll(/\p{C}+/gu, ' ')
    .trim()
  return words.length > maxMessage ? `${words.slice(0, maxMessage - 1)}…` : words
}

/** Longer ones no file can have (limits.h, PATH_MAX), and no result has room for. */
export const maxPath = 4_096

/** Of what a program says when it is asked for its version. */
export function versionIn(stdout: Uint8Array): string {
  return /\d+\.\d+\.\d+/.exec(Buffer.from(stdout).toString())?.[0] ?? 'unknown'
}

/** @throws ToolError when a program that said it had worked did not say what it should */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ToolError('UNREADABLE', 'the program did not answer in JSON')
  }
}

/** A line of a log; undefined for one that is no JSON, or was cut off. */
export function logLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Lines that are JSON; others are a program's asides. */
export function jsonLines(text: string): readonly unknown[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => parseJson(line))
}
