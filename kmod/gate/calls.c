// SPDX-License-Identifier: GPL-2.0
/*
 * The decision for every system call, by the numbers of both ABIs. What both
 * have is in calls_both.h. A number that is not in the tables belongs to the
 * channel `other', unless the kernel has no such call.
 */
#include <linux/build_bug.h>
#include <linux/string.h>

#include <asm/unistd.h>
#include <asm/unistd_32_ia32.h>

#include "../domain/policy.h"
#include "calls.h"
#include "judge.h"

/* Above the bits of calls.h: a channel, a judge, what it tampers with. */
#define SH_CHANNEL(c)	(((u32)SELFHEAL_CHANNEL_##c + 1) << 8)
#define SH_CHANNEL_OF(v) ((int)((v) >> 8 & 0xf) - 1)
#define SH_JUDGED(j)	(SH_CALL_JUDGE | (u32)SH_JUDGE_##j << 16)
#define SH_JUDGE_OF(v)	((v) >> 16 & 0xff)
#define SH_TAMPERS(t)	(SH_CHANNEL(OTHER) | SH_CALL_TAMPER | (u32)SH_TAMPER_##t << 24)
#define SH_TAMPER_OF(v)	((v) >> 24 & 0xf)

enum sh_tamper {
	SH_TAMPER_MODULES,
	SH_TAMPER_KEXEC,
	SH_TAMPER_BPF,
	SH_TAMPER_PERF,
	SH_TAMPER_PORTS,
	SH_TAMPER_REBOOT,
	SH_TAMPER_CONTROLLER,	/* if its registers name one */
};

static const char *const sh_tampers[] = {
	[SH_TAMPER_MODULES] = "modules",
	[SH_TAMPER_KEXEC] = "kexec",
	[SH_TAMPER_BPF] = "bpf",
	[SH_TAMPER_PERF] = "perf",
	[SH_TAMPER_PORTS] = "ports",
	[SH_TAMPER_REBOOT] = "reboot",
	[SH_TAMPER_CONTROLLER] = "controller",
};

/* The words of the tables. Passing is a decision, too: 0 is none. */
#define SH_PASS		0x80000000
#define SH_WAIT		(SH_PASS | SH_CALL_WAIT)
#define SH_FORK		(SH_PASS | SH_CALL_FORK)
#define SH_EXEC		(SH_PASS | SH_CALL_EXEC)
#define SH_FD		(SH_PASS | SH_JUDGED(FD))
#define SH_FUTEX	(SH_PASS | SH_JUDGED(FUTEX))
#define SH_FCNTL	(SH_PASS | SH_JUDGED(FCNTL))

#define SH_OTHER	SH_CHANNEL(OTHER)
#define SH_OTHER_WAIT	(SH_OTHER | SH_CALL_WAIT)
#define SH_OTHER_FD	(SH_OTHER | SH_JUDGED(FD))
#define SH_SOCKETCALL	(SH_OTHER | SH_JUDGED(SOCKETCALL))
#define SH_SOCKOPT	(SH_OTHER | SH_JUDGED(SOCKOPT))
#define SH_ADVICE	(SH_OTHER | SH_JUDGED(ADVICE))
#define SH_PRCTL	(SH_OTHER | SH_JUDGED(PRCTL) | SH_CALL_PRCTL)
#define SH_PID		(SH_TAMPERS(CONTROLLER) | SH_JUDGED(PID))
#define SH_PRIORITY	(SH_TAMPERS(CONTROLLER) | SH_JUDGED(PRIORITY))
#define SH_IOPRIO	(SH_TAMPERS(CONTROLLER) | SH_JUDGED(IOPRIO))
#define SH_PRLIMIT	(SH_TAMPERS(CONTROLLER) | SH_JUDGED(PRLIMIT))

#define SH_IPC		SH_CHANNEL(IPC)
#define SH_IPC_WAIT	(SH_IPC | SH_CALL_WAIT)
#define SH_SHMCTL	(SH_IPC | SH_JUDGED(SHMCTL))
#define SH_SEMCTL	(SH_IPC | SH_JUDGED(SEMCTL))
#define SH_MSGCTL	(SH_IPC | SH_JUDGED(MSGCTL))

#define SH_IOCTL	(SH_CHANNEL(DEVICE) | SH_JUDGED(IOCTL))

#define SH_MODULES	SH_TAMPERS(MODULES)
#define SH_KEXEC	SH_TAMPERS(KEXEC)
#define SH_BPF		SH_TAMPERS(BPF)
#define SH_PERF		SH_TAMPERS(PERF)
#define SH_PORTS	SH_TAMPERS(PORTS)
#define SH_REBOOT	SH_TAMPERS(REBOOT)

#define N(nr, name, word)	[nr] = SH_##word,

#define C(name, word)	[__NR_##name] = SH_##word,
static const u32 sh_calls_64[SH_CALLS] = {
#include "calls_both.h"
C(accept, WAIT) C(newfstatat, PASS) C(kexec_file_load, KEXEC)
C(semop, IPC_WAIT) C(semtimedop, IPC_WAIT)
N(335, uretprobe, PASS)	/* made by the kernel's return probes, SIGILL for others */
/* ENOSYS. */
C(epoll_ctl_old, PASS) C(epoll_wait_old, PASS) C(security, PASS) C(tuxcall, PASS)
};
#undef C

#define C(name, word)	[__NR_ia32_##name] = SH_##word,
static const u32 sh_calls_32[SH_CALLS] = {
#include "calls_both.h"
/* With wider ids, offsets or times than their elders, else the same. */
C(chown32, PASS) C(fchown32, PASS) C(lchown32, PASS)
C(getegid32, PASS) C(geteuid32, PASS) C(getgid32, PASS) C(getgroups32, PASS)
C(getresgid32, PASS) C(getresuid32, PASS) C(getuid32, PASS)
C(setfsgid32, PASS) C(setfsuid32, PASS) C(setgid32, PASS) C(setgroups32, PASS)
C(setregid32, PASS) C(setresgid32, PASS) C(setresuid32, PASS) C(setreuid32, PASS)
C(setuid32, PASS)
C(_llseek, PASS) C(fadvise64_64, PASS) C(truncate64, PASS) C(ftruncate64, PASS)
C(stat64, PASS) C(fstat64, PASS) C(lstat64, PASS) C(fstatat64, PASS)
C(statfs64, PASS) C(fstatfs64, PASS) C(sendfile64, PASS) C(mmap2, PASS)
C(fcntl64, FCNTL) C(_newselect, WAIT)
C(clock_getres_time64, PASS) C(clock_gettime64, PASS) C(sched_rr_get_interval_time64, PASS)
C(timer_gettime64, PASS) C(timer_settime64, PASS)
C(timerfd_gettime64, PASS) C(timerfd_settime64, PASS) C(utimensat_time64, PASS)
C(clock_settime64, OTHER) C(clock_adjtime64, OTHER) C(clock_nanosleep_time64, WAIT)
C(futex_time64, FUTEX) C(ppoll_time64, WAIT) C(pselect6_time64, WAIT)
C(io_pgetevents_time64, WAIT) C(recvmmsg_time64, WAIT) C(rt_sigtimedwait_time64, WAIT)
C(mq_timedreceive_time64, WAIT) C(mq_timedsend_time64, IPC) C(semtimedop_time64, IPC_WAIT)
/* Elders, and multiplexers. */
C(oldstat, PASS) C(oldfstat, PASS) C(oldlstat, PASS) C(readdir, PASS)
C(olduname, PASS) C(oldolduname, PASS) C(ugetrlimit, PASS) C(nice, PASS)
C(signal, PASS) C(sigaction, PASS) C(sigpending, PASS) C(sigprocmask, PASS)
C(sigreturn, PASS) C(sgetmask, PASS) C(ssetmask, PASS) C(sigsuspend, WAIT)
C(waitpid, WAIT) C(umount, OTHER) C(stime, OTHER)
C(ipc, IPC_WAIT) C(socketcall, SOCKETCALL)
/* ENOSYS. */
C(bdflush, PASS) C(break, PASS) C(ftime, PASS) C(gtty, PASS) C(idle, PASS) C(lock, PASS)
C(mpx, PASS) C(prof, PASS) C(profil, PASS) C(stty, PASS) C(ulimit, PASS)
C(vm86, PASS) C(vm86old, PASS)
};
#undef C
#undef N

static const u32 *const sh_calls[SH_ABIS] = {
	[SH_ABI_64] = sh_calls_64,
	[SH_ABI_32] = sh_calls_32,
};

static const unsigned int sh_calls_end[SH_ABIS] = {
	[SH_ABI_64] = NR_syscalls,
	[SH_ABI_32] = IA32_NR_syscalls,
};

static u32 sh_call(unsigned int abi, unsigned int nr)
{
	BUILD_BUG_ON(NR_syscalls > SH_CALLS || IA32_NR_syscalls > SH_CALLS);
	if (nr >= sh_calls_end[abi])
		return SH_PASS;		/* ENOSYS */
	return sh_calls[abi][nr] ?: SH_OTHER;
}

u8 sh_call_class(unsigned int abi, unsigned int nr)
{
	return sh_call(abi, nr);
}

u8 sh_call_judge(unsigned int abi, unsigned int nr)
{
	return SH_JUDGE_OF(sh_call(abi, nr));
}

const char *sh_call_tampers(unsigned int abi, unsigned int nr)
{
	u32 call = sh_call(abi, nr);

	return call & SH_CALL_TAMPER ? sh_tampers[SH_TAMPER_OF(call)] : NULL;
}

static bool sh_sysmap_test(const u8 *map, unsigned int nr)
{
	return map[nr / 8] & (1 << nr % 8);
}

static u8 sh_call_compile(const struct sh_policy *p, unsigned int abi, unsigned int nr)
{
	u32 call = sh_call(abi, nr);
	int channel = SH_CHANNEL_OF(call);
	u8 class = call;

	if (p->tamper == SELFHEAL_TAMPER_ACTION_PASS)
		class &= ~SH_CALL_TAMPER;
	if (channel >= 0 && sh_policy_denies(p, channel) && !sh_sysmap_test(p->pass[abi], nr))
		class |= SH_CALL_DENY;
	else if (SH_JUDGE_OF(call) >= SH_JUDGE_CHANNEL && !(class & SH_CALL_TAMPER))
		class &= ~SH_CALL_JUDGE;
	/* Said by name: whatever its arguments, and in silence. */
	if (sh_sysmap_test(p->deny[abi], nr) && !sh_policy_observes(p)) {
		class |= SH_CALL_DENY;
		class &= ~(SH_CALL_JUDGE | SH_CALL_TAMPER);
	}
	if (sh_sysmap_test(p->never[abi], nr))
		class |= SH_CALL_NEVER;
	return class;
}

void sh_calls_compile(struct sh_policy *p)
{
	unsigned int abi, nr;

	for (abi = 0; abi < SH_ABIS; abi++)
		for (nr = 0; nr < SH_CALLS; nr++)
			p->call[abi][nr] = sh_call_compile(p, abi, nr);
}
