// The list of system calls as data: what must never be on it, and that our form becomes the
// runtime's without loss.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { seccompProfileSchema, toOciSeccomp } from '../../supervisor/sandbox/seccomp.ts'

const file = join(import.meta.dirname, '..', '..', 'seccomp', 'agent.json')
const profile = seccompProfileSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
const allowed = profile.calls.filter(({ errno }) => errno === undefined)

/** Ways out of a sandbox, to other processes, or around the file system's permissions. */
const never = `fork vfork unshare setns mount umount umount2 pivot_root chroot move_mount open_tree
  fsopen fsmount mount_setattr ptrace process_vm_readv process_vm_writev kcmp bpf perf_event_open
  userfaultfd keyctl add_key request_key io_uring_setup io_uring_enter io_uring_register
  open_by_handle_at name_to_handle_at kexec_load kexec_file_load init_module finit_module
  delete_module personality memfd_create execveat mknod mknodat setfsuid setresuid setreuid
  settimeofday clock_settime adjtimex reboot swapon swapoff syslog acct quotactl kill tkill
  pidfd_open pidfd_getfd pidfd_send_signal socketpair shmget shmat msgget semget chown fchown
  fchownat lchown setxattr iopl ioperm modify_ldt lookup_dcookie vhangup landlock_create_ruleset
  seccomp`.split(/\s+/)

describe('seccomp/agent.json', () => {
  it('denies by default', () => {
    expect(profile.defaultErrno).toBe('EPERM')
    expect(toOciSeccomp(profile, 'x64')).toMatchObject({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 1,
    })
  })

  it.each(never)('does not allow %s', (name) => {
    expect(allowed.map((call) => call.name)).not.toContain(name)
  })

  it('allows clone for threads only, and sends clone3 back to clone', () => {
    const clone = profile.calls.filter(({ name }) => name === 'clone')
    const cloneThread = 0x10000
    expect(clone.map(({ when }) => when)).toEqual([
      { argument: 0, mask: cloneThread, equals: cloneThread },
    ])
    expect(profile.calls.find(({ name }) => name === 'clone3')?.errno).toBe('ENOSYS')
  })

  it('allows sockets of two families and no other', () => {
    const sockets = profile.calls.filter(({ name }) => name === 'socket')
    const [unix, inet] = [1, 2]
    expect(sockets.map(({ when }) => when)).toEqual([
      { argument: 0, equals: unix },
      { argument: 0, equals: inet },
    ])
  })

  it('has one entry a call, but for the families of socket', () => {
    const names = profile.calls.map(({ name }) => name).filter((name) => name !== 'socket')
    expect(new Set(names).size).toBe(names.length)
  })

  it('is refused when an entry has no reason or an unknown field', () => {
    const [first] = profile.calls
    const variants = [
      { ...first, reason: '' },
      { name: 'read' },
      { ...first, action: 'SCMP_ACT_ALLOW' },
    ]
    for (const call of variants) {
      expect(seccompProfileSchema.safeParse({ ...profile, calls: [call] }).success).toBe(false)
    }
    expect(seccompProfileSchema.safeParse({ ...profile, calls: [] }).success).toBe(false)
  })
})

describe('toOciSeccomp', () => {
  it('keeps conditions: equality, and mask before value', () => {
    const oci = toOciSeccomp(
      {
        comment: '',
        defaultErrno: 'EPERM',
        calls: [
          { name: 'one', reason: 'because', when: { argument: 2, equals: 7 } },
          { name: 'two', reason: 'because', when: { argument: 0, mask: 12, equals: 4 } },
          { name: 'three', reason: 'because', errno: 'ENOSYS' },
        ],
      },
      'x64',
    )
    expect(oci.syscalls).toEqual([
      {
        names: ['one'],
        action: 'SCMP_ACT_ALLOW',
        args: [{ index: 2, value: 7, op: 'SCMP_CMP_EQ' }],
      },
      {
        names: ['two'],
        action: 'SCMP_ACT_ALLOW',
        args: [{ index: 0, value: 12, valueTwo: 4, op: 'SCMP_CMP_MASKED_EQ' }],
      },
      { names: ['three'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
    ])
  })

  it('names the own architecture only, and refuses one it was not written for', () => {
    expect(toOciSeccomp(profile, 'x64').architectures).toEqual(['SCMP_ARCH_X86_64'])
    expect(toOciSeccomp(profile, 'arm64').architectures).toEqual(['SCMP_ARCH_AARCH64'])
    expect(() => toOciSeccomp(profile, 'riscv64')).toThrow(/riscv64/)
  })
})
