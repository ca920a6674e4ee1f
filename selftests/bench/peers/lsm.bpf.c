// SPDX-License-Identifier: GPL-2.0
/*
 * What a BPF LSM program that looks after some processes costs them: as systemd's
 * RestrictFileSystems= does, it finds by the caller's cgroup whether it has a say, and what.
 * Opens, writes of every kind, and sends on sockets. Loaded by lsm_run.c.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct file;
struct socket;
struct msghdr;

#define OPEN	(1 << 0)
#define WRITE	(1 << 1)
#define SEND	(1 << 2)
#define MAY_WRITE 2

/* By cgroup: what its members may not. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u32);
} denied SEC(".maps");

static __always_inline int judge(__u32 what)
{
	__u64 id = bpf_get_current_cgroup_id();
	__u32 *mask = bpf_map_lookup_elem(&denied, &id);

	if (mask && (*mask & what)) {
		/* A jump, not arithmetic: the verifier wants to see the value. */
		asm volatile("");
		return -EPERM;
	}
	return 0;
}

SEC("lsm/file_open")
int BPF_PROG(restrict_open, struct file *file, int ret)
{
	return ret ? ret : judge(OPEN);
}

SEC("lsm/file_permission")
int BPF_PROG(restrict_write, struct file *file, int mask, int ret)
{
	if (ret || !(mask & MAY_WRITE))
		return ret;
	return judge(WRITE);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(restrict_send, struct socket *sock, struct msghdr *msg, int size, int ret)
{
	return ret ? ret : judge(SEND);
}

char _license[] SEC("license") = "GPL";
