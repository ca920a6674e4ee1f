// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets: the errors that a send would give now are given now, what would
 * be sent is held; and the later sending itself.
 */
#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <net/af_unix.h>
#include <net/inet_connection_sock.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "../compat/symbols.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "output.h"
#include "quarantine.h"

#define SH_SEND_FLAGS	(MSG_OOB | MSG_DONTROUTE | MSG_EOR | MSG_CONFIRM | MSG_MORE | \
			 MSG_PROBE)

static int sh_stream_broken(struct sock *sk, int flags, int err)
{
	return sk_stream_error(sk, flags, err);
}

static int sh_stream_refuses(struct socket *sock, const struct msghdr *msg)
{
	struct sock *sk = sock->sk;
	int state = READ_ONCE(sk->sk_state);

	if (READ_ONCE(sk->sk_err) || (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN))
		return sh_stream_broken(sk, msg->msg_flags, -EPIPE);
	if (sk->sk_family == AF_INET || sk->sk_family == AF_INET6) {
		/* A send that connects is output that no quarantine holds; programs fall back. */
		if (msg->msg_flags & MSG_FASTOPEN)
			return msg->msg_namelen ? -EOPNOTSUPP : -EINVAL;
		if (state == TCP_CLOSE || state == TCP_LISTEN)
			return sh_stream_broken(sk, msg->msg_flags, -EPIPE);
		if ((state == TCP_SYN_SENT || state == TCP_SYN_RECV) &&
		    (msg->msg_flags & MSG_DONTWAIT))
			return -EAGAIN;
	}
	if (sk->sk_family == AF_UNIX) {
		if (msg->msg_namelen)
			return state == TCP_ESTABLISHED ? -EISCONN : -EOPNOTSUPP;
		if (!READ_ONCE(unix_sk(sk)->peer))
			return -ENOTCONN;
	}
	return 0;
}

static int sh_inet_dgram_refuses(struct sock *sk, const struct msghdr *msg, size_t size)
{
	const struct sockaddr *name = msg->msg_name;
	size_t need = sk->sk_family == AF_INET ? sizeof(struct sockaddr_in) : SIN6_LEN_RFC2133;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (size > 0xffff)
		return -EMSGSIZE;
	if (!msg->msg_namelen)
		return READ_ONCE(sk->sk_state) == TCP_ESTABLISHED ? 0 : -EDESTADDRREQ;
	/* An IPv6 socket also takes the addresses that it maps. */
	if (sk->sk_family == AF_INET6 && (name->sa_family == AF_INET ||
					  name->sa_family == AF_UNSPEC))
		return 0;
	if (msg->msg_namelen < need)
		return -EINVAL;
	return name->sa_family == sk->sk_family || name->sa_family == AF_UNSPEC ? 0 :
	       sk->sk_family == AF_INET ? -EAFNOSUPPORT : -EINVAL;
}

/* A path that names no socket; abstract names are looked up at the commit only. */
static int sh_unix_name_refuses(const struct msghdr *msg)
{
	struct sockaddr_un *sun = msg->msg_name;
	size_t len = msg->msg_namelen - offsetof(struct sockaddr_un, sun_path);
	char name[sizeof(sun->sun_path) + 1];
	struct path path;
	int err;

	if (msg->msg_namelen <= offsetof(struct sockaddr_un, sun_path) ||
	    len > sizeof(sun->sun_path) || sun->sun_family != AF_UNIX)
		return -EINVAL;
	if (!sun->sun_path[0])
		return 0;
	memcpy(name, sun->sun_path, len);
	name[len] = '\0';
	err = kern_path(name, LOOKUP_FOLLOW, &path);
	if (err)
		return err;
	err = S_ISSOCK(d_backing_inode(path.dentry)->i_mode) ? 0 : -ECONNREFUSED;
	path_put(&path);
	return err;
}

static int sh_unix_dgram_refuses(struct sock *sk, const struct msghdr *msg, size_t size)
{
	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (size > READ_ONCE(sk->sk_sndbuf) - 32)
		return -EMSGSIZE;
	if (sk->sk_type == SOCK_SEQPACKET)
		return READ_ONCE(sk->sk_state) == TCP_ESTABLISHED ? 0 : -ENOTCONN;
	if (msg->msg_namelen)
		return sh_unix_name_refuses(msg);
	return READ_ONCE(unix_sk(sk)->peer) ? 0 : -ENOTCONN;
}

/* What the socket would refuse at once; 0 when it would take data. May sleep. */
static int sh_socket_refuses(struct socket *sock, const struct msghdr *msg, size_t size)
{
	struct sock *sk = sock->sk;

	if (sock->type == SOCK_STREAM)
		return sh_stream_refuses(sock, msg);
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN) {
		/* As SCTP does, and AF_UNIX does not. */
		if (!(msg->msg_flags & MSG_NOSIGNAL) && sock->type == SOCK_SEQPACKET &&
		    sk->sk_family != AF_UNIX)
			send_sig(SIGPIPE, current, 0);
		return -EPIPE;
	}
	if (READ_ONCE(sk->sk_err))
		return sock_error(sk);
	if (sk->sk_family == AF_UNIX)
		return sh_unix_dgram_refuses(sk, msg, size);
	if ((sk->sk_family == AF_INET || sk->sk_family == AF_INET6) && sock->type == SOCK_DGRAM)
		return sh_inet_dgram_refuses(sk, msg, size);
	return 0;
}

/* Bytes that a non-blocking stream socket would take beyond what is held on it. */
static size_t sh_socket_space(struct sock *sk, u64 held)
{
	long used = sk->sk_family == AF_UNIX ? sk_wmem_alloc_get(sk) :
					       READ_ONCE(sk->sk_wmem_queued);
	long space = (long)READ_ONCE(sk->sk_sndbuf) - used - (long)held;

	return max(space, 0L);
}

/*
 * sendmmsg(2) sends a further message to the same address without asking the
 * LSMs, hence us: leave it no address to remember.
 */
static void sh_socket_forget_name(struct msghdr *msg)
{
	msg->msg_name = NULL;
	msg->msg_namelen = 0;
}

/*
 * The tap's answer 0 is the LSMs' consent, so the caller goes on: a stream puts nothing out then,
 * but an empty datagram would leave.
 */
static ssize_t sh_socket_take_nothing(struct msghdr *msg, bool stream)
{
	if (!stream)
		return -ENOBUFS;
	sh_socket_forget_name(msg);
	msg->msg_controllen = 0;
	return 0;
}

/* The one way of a member's output into the quarantine; errno or bytes. */
static ssize_t sh_socket_take(struct sh_member *m, struct socket *sock, struct msghdr *msg,
			      size_t size, bool due)
{
	struct sh_quarantine *q = m->domain->quarantine;
	struct sock *sk = sock->sk;
	struct sh_output o = {
		.file = sock->file,
		.channel = SELFHEAL_CHANNEL_SOCKET,
		.stream = sock->type == SOCK_STREAM,
		.nonblock = msg->msg_flags & MSG_DONTWAIT,
		.due = due,
		.timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT),
		.space = SIZE_MAX,
		.flags = msg->msg_flags & SH_SEND_FLAGS,
		.name = msg->msg_name,
		.namelen = msg->msg_name ? msg->msg_namelen : 0,
	};
	struct sockaddr_storage peer;
	bool shut, any;
	ssize_t ret;
	u64 held;

	held = sh_quarantine_held_on(q, sock->file, &shut, &any);
	if (shut) {
		if (!(msg->msg_flags & MSG_NOSIGNAL))
			send_sig(SIGPIPE, current, 0);
		return -EPIPE;
	}
	ret = sh_socket_refuses(sock, msg, size);
	if (ret)
		return ret;
	if (!size)
		return sh_socket_take_nothing(msg, o.stream);
	/* The program may connect to another peer before the commit. */
	if (!o.name && sock->type == SOCK_DGRAM &&
	    (sk->sk_family == AF_INET || sk->sk_family == AF_INET6)) {
		ret = READ_ONCE(sock->ops)->getname(sock, (struct sockaddr *)&peer, 1);
		if (ret < 0)
			return ret == -ENOTCONN ? -EDESTADDRREQ : ret;
		o.name = &peer;
		o.namelen = ret;
	}
	/* No pinned user pages in the quarantine; programs fall back on this errno. */
	if ((msg->msg_flags & MSG_ZEROCOPY) && sock_flag(sk, SOCK_ZEROCOPY))
		return -ENOBUFS;
	if (o.stream && o.nonblock) {
		o.space = sh_socket_space(sk, held);
		if (!o.space) {
			set_bit(SOCK_NOSPACE, &sock->flags);
			return -EAGAIN;
		}
	}
	if (msg->msg_controllen) {
		if (msg->msg_control_is_user || msg->msg_controllen > SH_CONTROL_MAX)
			return -ENOBUFS;
		o.control = msg->msg_control;
		o.controllen = msg->msg_controllen;
		if (sk->sk_family == AF_UNIX) {
			ret = sh_scm_grab(msg, &o.fds);
			if (ret)
				return ret;
		}
	}
	ret = sh_quarantine_hold(m, &o, &msg->msg_iter, size);
	sh_fds_free(o.fds);
	if (o.stream && o.nonblock && ret >= 0 && ret < size)
		set_bit(SOCK_NOSPACE, &sock->flags);
	sh_socket_forget_name(msg);
	return ret;
}

static bool sh_socket_concerns(struct sh_member *m, struct socket *sock)
{
	/* The kernel's own sockets (NFS, NBD, ...) carry no output of the program. */
	return sock->file && sock->sk && !sock->sk->sk_kern_sock &&
	       sh_output_concerns(m, SELFHEAL_CHANNEL_SOCKET);
}

bool sh_socket_output(struct sh_member *m, struct socket *sock, struct msghdr *msg, int size,
		      bool checked, ssize_t *ret)
{
	enum sh_output_order order;

	if (!sh_socket_concerns(m, sock))
		return false;
	order = sh_output_order(m, SELFHEAL_CHANNEL_SOCKET, sock->file);
	if (order == SH_OUTPUT_PASSES)
		return false;
	*ret = sh_output_refused(m, SELFHEAL_CHANNEL_SOCKET);
	if (!*ret && !checked)
		*ret = sh_lsm_socket_sendmsg(sock, msg, size);
	if (!*ret)
		*ret = sh_socket_take(m, sock, msg, size, order == SH_OUTPUT_FOLLOWS);
	return true;
}

bool sh_socket_output_page(struct sh_member *m, struct file *file, struct page *page, int offset,
			   size_t size, int flags, ssize_t *ret)
{
	struct socket *sock = sock_from_file(file);
	struct bio_vec bv = { .bv_page = page, .bv_offset = offset, .bv_len = size };
	struct msghdr msg = {
		.msg_flags = flags | (file->f_flags & O_NONBLOCK ? MSG_DONTWAIT : 0),
	};

	if (!sock)
		return false;
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, &bv, 1, size);
	return sh_socket_output(m, sock, &msg, size, true, ret);
}

bool sh_socket_shutdown(struct sh_member *m, struct socket *sock, int how, int *ret)
{
	bool shut, any, due;

	/* SHUT_RD puts nothing out. */
	if (how == SHUT_RD || !sh_socket_concerns(m, sock))
		return false;
	sh_quarantine_held_on(m->domain->quarantine, sock->file, &shut, &any);
	if (!any && sh_domain_state(m->domain) == SELFHEAL_DOMAIN_STATE_RUNNING)
		return false;
	due = !sh_output_withheld(m, SELFHEAL_CHANNEL_SOCKET);
	*ret = shut ? 0 : sh_quarantine_hold_shutdown(m, sock->file, due);
	return true;
}

/*
 * What leaves together is put on the wire together, as the corks say that the
 * program had in when it produced it, and has out now (nginx, tcp_nopush).
 * TCP itself only: a protocol upon it (kTLS) makes one record of what follows
 * MSG_MORE, and what control data says is said of one message.
 */
static bool sh_socket_coalesces(const struct sock *sk, const struct sh_held *h)
{
	return sk_is_tcp(sk) && !h->controllen && !READ_ONCE(inet_csk(sk)->icsk_ulp_ops);
}

int sh_socket_send(struct sh_held *h, bool more)
{
	struct socket *sock = sock_from_file(h->file);
	const struct proto_ops *ops = READ_ONCE(sock->ops);
	struct kvec vec = { .iov_base = h->data + h->off, .iov_len = h->len - h->off };
	struct msghdr msg = { .msg_flags = h->flags | MSG_DONTWAIT | MSG_NOSIGNAL };
	const struct cred *old = NULL;
	int fds[SH_SCM_MAX_FD], ret;

	if (h->kind == SH_HELD_SHUTDOWN)
		return ops->shutdown(sock, SHUT_WR);

	if (h->namelen) {
		msg.msg_name = h->name;
		msg.msg_namelen = h->namelen;
	}
	if (h->controllen) {
		msg.msg_control = h->control;
		msg.msg_controllen = h->controllen;
	}
	if (h->fds) {
		ret = sh_scm_install(h->fds, h->control, h->controllen, fds);
		if (ret)
			return ret;
	}
	if (more && sh_socket_coalesces(sock->sk, h))
		msg.msg_flags |= MSG_MORE;
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, vec.iov_len);
	/* Credentials are a thread's, not a process's. */
	if (h->cred != current_cred())
		old = override_creds(h->cred);
	/* The LSMs judged it when it was produced; the object's own checks run now. */
	ret = ops->sendmsg(sock, &msg, vec.iov_len);
	if (old)
		revert_creds(old);
	if (h->fds)
		sh_scm_uninstall(fds, h->fds->nr);
	if (ret == -EINTR || ret == -ERESTARTSYS)
		ret = -EAGAIN;
	if (ret < 0)
		return ret;
	if (sock->type != SOCK_STREAM)
		return 0;
	h->off += ret;
	if (h->off < h->len) {
		/* Sent with the first part. */
		sh_fds_free(h->fds);
		h->fds = NULL;
		h->controllen = 0;
		return -EAGAIN;
	}
	return 0;
}
