/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The decision for every system call that x86-64 and i386 both have: calls.c
 * includes this once for each ABI, and explains the words. N() has its number
 * for the calls that headers of Linux 6.1 do not name yet; both ABIs share it.
 */

/* Its own memory. What it maps shared is not seen: see the threat model. */
C(brk, PASS) C(mmap, PASS) C(munmap, PASS) C(mremap, PASS) C(mprotect, PASS)
C(madvise, ADVICE) C(mincore, PASS) C(msync, PASS) C(remap_file_pages, PASS)
C(mlock, PASS) C(mlock2, PASS) C(mlockall, PASS) C(munlock, PASS) C(munlockall, PASS)
C(pkey_alloc, PASS) C(pkey_free, PASS) C(pkey_mprotect, PASS)
C(memfd_create, PASS) C(memfd_secret, PASS) C(membarrier, PASS) C(uselib, PASS)
C(mbind, PASS) C(set_mempolicy, PASS) C(get_mempolicy, PASS) C(set_mempolicy_home_node, PASS)
N(453, map_shadow_stack, PASS) N(462, mseal, PASS)

/* Its own state. */
C(alarm, PASS) C(setitimer, PASS) C(getitimer, PASS)
C(timer_create, PASS) C(timer_delete, PASS) C(timer_getoverrun, PASS)
C(timer_gettime, PASS) C(timer_settime, PASS)
C(timerfd_create, PASS) C(timerfd_gettime, PASS) C(timerfd_settime, PASS)
C(rt_sigaction, PASS) C(rt_sigpending, PASS) C(rt_sigprocmask, PASS) C(rt_sigreturn, PASS)
C(sigaltstack, PASS) C(signalfd, PASS) C(signalfd4, PASS)
C(capset, PASS) C(setfsgid, PASS) C(setfsuid, PASS) C(setgid, PASS) C(setgroups, PASS)
C(setregid, PASS) C(setresgid, PASS) C(setresuid, PASS) C(setreuid, PASS) C(setuid, PASS)
C(chdir, PASS) C(fchdir, PASS) C(chroot, PASS) C(umask, PASS) C(personality, PASS)
C(setrlimit, PASS) C(setsid, PASS) C(unshare, PASS)
C(set_robust_list, PASS) C(set_tid_address, PASS) C(set_thread_area, PASS) C(rseq, PASS)
C(arch_prctl, PASS) C(modify_ldt, PASS) C(seccomp, PASS) N(460, lsm_set_self_attr, PASS)
C(landlock_create_ruleset, PASS) C(landlock_add_rule, PASS) C(landlock_restrict_self, PASS)
C(sched_yield, PASS)

/* It only learns something. */
C(capget, PASS) C(getcpu, PASS) C(getcwd, PASS) C(getegid, PASS) C(geteuid, PASS)
C(getgid, PASS) C(getgroups, PASS) C(getpgid, PASS) C(getpgrp, PASS) C(getpid, PASS)
C(getppid, PASS) C(getpriority, PASS) C(getrandom, PASS) C(getresgid, PASS)
C(getresuid, PASS) C(getrlimit, PASS) C(getrusage, PASS) C(getsid, PASS) C(gettid, PASS)
C(getuid, PASS) C(get_robust_list, PASS) C(get_thread_area, PASS) C(gettimeofday, PASS)
C(time, PASS) C(times, PASS) C(clock_getres, PASS) C(clock_gettime, PASS)
C(sysinfo, PASS) C(uname, PASS) C(sysfs, PASS) C(ustat, PASS) C(kcmp, PASS)
C(ioprio_get, PASS) C(pidfd_open, PASS) C(lookup_dcookie, PASS)
C(sched_getaffinity, PASS) C(sched_getattr, PASS) C(sched_getparam, PASS)
C(sched_getscheduler, PASS) C(sched_rr_get_interval, PASS)
C(sched_get_priority_max, PASS) C(sched_get_priority_min, PASS)
N(457, statmount, PASS) N(458, listmount, PASS)
N(459, lsm_get_self_attr, PASS) N(461, lsm_list_modules, PASS)

/* Files. Opening one is judged at the open file, by the taps. */
C(open, PASS) C(openat, PASS) C(openat2, PASS) C(creat, PASS)
C(name_to_handle_at, PASS) C(open_by_handle_at, PASS)
C(close, PASS) C(close_range, PASS) C(dup, PASS) C(dup2, PASS) C(dup3, PASS)
C(lseek, PASS) C(getdents, PASS) C(getdents64, PASS) C(readahead, PASS) C(fadvise64, PASS)
C(stat, PASS) C(fstat, PASS) C(lstat, PASS) C(statx, PASS) C(statfs, PASS) C(fstatfs, PASS)
C(access, PASS) C(faccessat, PASS) C(faccessat2, PASS) C(readlink, PASS) C(readlinkat, PASS)
C(getxattr, PASS) C(lgetxattr, PASS) C(fgetxattr, PASS)
C(listxattr, PASS) C(llistxattr, PASS) C(flistxattr, PASS)
C(setxattr, PASS) C(lsetxattr, PASS) C(fsetxattr, PASS)
C(removexattr, PASS) C(lremovexattr, PASS) C(fremovexattr, PASS)
C(chmod, PASS) C(fchmod, PASS) C(fchmodat, PASS) N(452, fchmodat2, PASS)
C(chown, PASS) C(fchown, PASS) C(lchown, PASS) C(fchownat, PASS)
C(utime, PASS) C(utimes, PASS) C(futimesat, PASS) C(utimensat, PASS)
C(truncate, PASS) C(ftruncate, PASS) C(fallocate, PASS)
C(link, PASS) C(linkat, PASS) C(symlink, PASS) C(symlinkat, PASS)
C(unlink, PASS) C(unlinkat, PASS) C(rename, PASS) C(renameat, PASS) C(renameat2, PASS)
C(mkdir, PASS) C(mkdirat, PASS) C(rmdir, PASS) C(mknod, PASS) C(mknodat, PASS)
C(sync, PASS) C(fsync, PASS) C(fdatasync, PASS) C(syncfs, PASS) C(sync_file_range, PASS)
C(inotify_init, PASS) C(inotify_init1, PASS) C(inotify_add_watch, PASS) C(inotify_rm_watch, PASS)
N(451, cachestat, PASS)
C(flock, WAIT) C(fcntl, FCNTL) C(ioctl, IOCTL)

/* Output that is held at its object, and the objects. */
C(read, FD) C(readv, FD) C(pread64, FD) C(preadv, FD) C(preadv2, FD)
C(write, PASS) C(writev, PASS) C(pwrite64, PASS) C(pwritev, PASS) C(pwritev2, PASS)
C(sendfile, PASS) C(copy_file_range, PASS)
C(pipe, PASS) C(pipe2, PASS) C(eventfd, PASS) C(eventfd2, PASS)
C(socket, PASS) C(socketpair, PASS) C(bind, PASS) C(listen, PASS) C(shutdown, PASS)
C(sendto, PASS) C(sendmsg, PASS) C(sendmmsg, PASS)
C(getsockname, PASS) C(getpeername, PASS) C(getsockopt, PASS) C(setsockopt, SOCKOPT)
C(recvfrom, WAIT) C(recvmsg, WAIT) C(recvmmsg, WAIT) C(accept4, WAIT) C(connect, WAIT)
C(io_setup, PASS) C(io_destroy, PASS) C(io_submit, PASS) C(io_cancel, PASS)
C(io_getevents, WAIT) C(io_pgetevents, WAIT)

/* Waits. */
C(poll, WAIT) C(ppoll, WAIT) C(select, WAIT) C(pselect6, WAIT)
C(epoll_create, PASS) C(epoll_create1, PASS) C(epoll_ctl, PASS)
C(epoll_wait, WAIT) C(epoll_pwait, WAIT) C(epoll_pwait2, WAIT)
C(nanosleep, WAIT) C(clock_nanosleep, WAIT) C(pause, WAIT) C(restart_syscall, WAIT)
C(rt_sigsuspend, WAIT) C(rt_sigtimedwait, WAIT) C(wait4, WAIT) C(waitid, WAIT)
C(futex, FUTEX) C(futex_waitv, WAIT)
N(454, futex_wake, PASS) N(455, futex_wait, WAIT) N(456, futex_requeue, PASS)
C(exit, WAIT) C(exit_group, WAIT)

/*
 * Membership. vfork() waits for a child of the domain, not for input, and the
 * exec that ends the wait may yet be one that its policy does not allow.
 */
C(fork, FORK) C(vfork, FORK) C(clone, FORK) C(clone3, FORK)
C(execve, EXEC) C(execveat, EXEC) C(prctl, PRCTL)

/* Signals: judged at their target, by the taps. */
C(kill, PASS) C(tkill, PASS) C(tgkill, PASS) C(pidfd_send_signal, PASS)
C(rt_sigqueueinfo, PASS) C(rt_tgsigqueueinfo, PASS)

/* They change the task that they name. */
C(setpgid, PID) C(sched_setaffinity, PID) C(sched_setattr, PID) C(sched_setparam, PID)
C(sched_setscheduler, PID) C(migrate_pages, PID) C(move_pages, PID)
C(setpriority, PRIORITY) C(ioprio_set, IOPRIO) C(prlimit64, PRLIMIT)

/* IPC with whoever has the key, the name or the segment. */
C(msgget, IPC) C(msgsnd, IPC) C(msgrcv, WAIT) C(msgctl, MSGCTL)
C(semget, IPC) C(semctl, SEMCTL)
C(shmget, IPC) C(shmat, IPC) C(shmdt, PASS) C(shmctl, SHMCTL)
C(mq_open, IPC) C(mq_unlink, IPC) C(mq_timedsend, IPC)
C(mq_notify, IPC) C(mq_timedreceive, WAIT) C(mq_getsetattr, PASS)

/* Data that moves, or is reached, past every hook that could hold it. */
C(io_uring_setup, OTHER) C(io_uring_enter, OTHER_WAIT) C(io_uring_register, OTHER)
C(splice, OTHER_FD) C(tee, OTHER_FD) C(vmsplice, OTHER_FD) C(userfaultfd, OTHER)
C(process_vm_readv, OTHER) C(process_vm_writev, OTHER) C(ptrace, OTHER)
C(pidfd_getfd, OTHER) C(process_madvise, OTHER) C(process_mrelease, OTHER)
C(add_key, OTHER) C(request_key, OTHER) C(keyctl, OTHER)

/* The machine, and what everybody on it shares. */
C(mount, OTHER) C(umount2, OTHER) C(pivot_root, OTHER) C(open_tree, OTHER)
C(move_mount, OTHER) C(mount_setattr, OTHER) C(fsopen, OTHER) C(fsconfig, OTHER)
C(fsmount, OTHER) C(fspick, OTHER) C(setns, OTHER)
C(fanotify_init, OTHER) C(fanotify_mark, OTHER)
C(swapon, OTHER) C(swapoff, OTHER) C(acct, OTHER) C(quotactl, OTHER) C(quotactl_fd, OTHER)
C(sethostname, OTHER) C(setdomainname, OTHER) C(syslog, OTHER) C(vhangup, OTHER)
C(settimeofday, OTHER) C(clock_settime, OTHER) C(adjtimex, OTHER) C(clock_adjtime, OTHER)

/* The kernel under the monitor. */
C(init_module, MODULES) C(finit_module, MODULES) C(delete_module, MODULES)
C(kexec_load, KEXEC) C(reboot, REBOOT) C(bpf, BPF) C(perf_event_open, PERF)
C(iopl, PORTS) C(ioperm, PORTS)

/* No kernel that we support has more of them than the number: ENOSYS. */
C(_sysctl, PASS) C(afs_syscall, PASS) C(create_module, PASS) C(get_kernel_syms, PASS)
C(getpmsg, PASS) C(nfsservctl, PASS) C(putpmsg, PASS) C(query_module, PASS)
C(vserver, PASS)
