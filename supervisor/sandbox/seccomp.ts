// Reads seccomp/agent.json and seccomp/programs.json, our own shape with a reason per call, and turns it into the OCI
// runtime's form. Pure. Deny by default: a call that has no entry fails; a profile that does not
// parse is an error, never an empty filter.

import { z } from 'zod'

/** Linux errno values that entries may name. */
const errnos = { EPERM: 1, ENOSYS: 38 } as const
const errno = z.enum(['EPERM', 'ENOSYS'])

export const seccompProfileSchema = z.strictObject({
  comment: z.string(),
  defaultErrno: errno,
  calls: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9_]+$/),
        /** Why an agent needs it. An entry without a reason does not parse. */
        reason: z.string().min(8),
        /** Allowed only where the argument (after `mask`, when given) equals this. */
        when: z
          .strictObject({
            argument: z.number().int().min(0).max(5),
            mask: z.number().int().positive().optional(),
            equals: z.number().int(),
          })
          .optional(),
        /** Refused with this errno instead of the default one. */
        errno: errno.optional(),
      }),
    )
    .min(1),
})
export type SeccompProfile = z.infer<typeof seccompProfileSchema>

/** What an agent that declares programs may do: all that every agent may, and what `more` adds. */
export function withPrograms(agent: SeccompProfile, more: SeccompProfile): SeccompProfile {
  return { ...agent, calls: [...agent.calls, ...more.calls] }
}

export interface OciSeccomp {
  readonly defaultAction: 'SCMP_ACT_ERRNO'
  readonly defaultErrnoRet: number
  readonly architectures: readonly string[]
  readonly syscalls: readonly {
    readonly names: readonly string[]
    readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO'
    readonly errnoRet?: number
    readonly args?: readonly {
      readonly index: number
      readonly value: number
      readonly valueTwo?: number
      readonly op: 'SCMP_CMP_EQ' | 'SCMP_CMP_MASKED_EQ'
    }[]
  }[]
}

/** Only the machine's own architecture: calls by another ABI (i386, x32) kill the process. */
const architectures: Readonly<Partial<Record<NodeJS.Architecture, string>>> = {
  x64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
}

/**
 * The `linux.seccomp` section of an OCI config.json.
 * @throws Error for an architecture the profile was not written for
 */
export function toOciSeccomp(profile: SeccompProfile, arch: NodeJS.Architecture): OciSeccomp {
  const architecture = architectures[arch]
  if (architecture === undefined) throw new Error(`no seccomp profile for ${arch}`)
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: errnos[profile.defaultErrno],
    architectures: [architecture],
    syscalls: profile.calls.map((call) => ({
      names: [call.name],
      ...(call.errno === undefined
        ? { action: 'SCMP_ACT_ALLOW' as const }
        : { action: 'SCMP_ACT_ERRNO' as const, errnoRet: errnos[call.errno] }),
      ...(call.when === undefined ? {} : { args: [toArgument(call.when)] }),
    })),
  }
}

function toArgument(when: { argument: number; mask?: number | undefined; equals: number }) {
  return when.mask === undefined
    ? { index: when.argument, value: when.equals, op: 'SCMP_CMP_EQ' as const }
    : {
        index: when.argument,
        // For a masked comparison libseccomp takes the mask first and the datum second.
        value: when.mask,
        valueTwo: when.equals,
        op: 'SCMP_CMP_MASKED_EQ' as const,
      }
}
