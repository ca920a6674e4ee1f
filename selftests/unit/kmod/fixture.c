// SPDX-License-Identifier: GPL-2.0
/* The quarantine's kernel sources, and what they call of the rest of the module. */
#include "counters.c"
#include "quarantine/log.c"
#include "quarantine/commit.c"
#include "quarantine/rest.c"
#include "quarantine/starved.c"

#include "fixture.h"

struct fixture *fx;

static void object_told(struct sock *sk)
{
	struct object *o = container_of(sk, struct object, sock);

	SHIM_REQUIRE(o->socket.flags & 1ul << SOCK_NOSPACE);
	o->socket.flags &= ~(1ul << SOCK_NOSPACE);
	o->told++;
}

void fixture_setup(u32 commit)
{
	unsigned int i;

	fx = calloc(1, sizeof(*fx));
	fx->policy.commit = commit;
	fx->policy.commit_delay_ms = 100;
	fx->policy.max_bytes = 4096;
	fx->policy.overflow = SELFHEAL_OVERFLOW_BLOCK;
	snprintf(fx->policy.name, sizeof(fx->policy.name), "p");
	fx->cred.refs = 1;
	kref_init(&fx->domain.ref);
	fx->domain.policy = &fx->policy;
	fx->domain.state = SELFHEAL_DOMAIN_STATE_RUNNING;
	SHIM_REQUIRE(!sh_quarantine_init());
	INIT_LIST_HEAD(&fx->domain.members);
	fx->q = sh_quarantine_new(&fx->domain);
	fx->domain.quarantine = fx->q;
	for (i = 0; i < MEMBERS; i++) {
		fx->task[i] = (struct task_struct){ .pid = 10 + i, .tgid = 10, .cred = &fx->cred };
		fx->member[i].task = &fx->task[i];
		fx->member[i].domain = &fx->domain;
		INIT_LIST_HEAD(&fx->member[i].held);
		list_add_tail(&fx->member[i].node, &fx->domain.members);
	}
	for (i = 0; i < OBJECTS; i++) {
		struct object *o = &fx->object[i];

		o->capacity = WIRE;
		o->inode.i_ino = 500 + i;
		o->file = (struct file){ .refs = 1, .f_inode = &o->inode };
		o->channel = i < 2 ? SELFHEAL_CHANNEL_SOCKET : SELFHEAL_CHANNEL_PIPE;
		o->inode.i_mode = i < 2 ? S_IFSOCK : S_IFIFO;
		if (i < 2) {
			o->socket.sk = &o->sock;
			o->sock.sk_write_space = object_told;
			o->file.socket = &o->socket;
		} else {
			o->file.private_data = &o->pipe;
		}
	}
}

void fixture_teardown(void)
{
	unsigned int i;

	test_about("at the end");
	sh_quarantine_release(fx->q);
	set_state(SELFHEAL_DOMAIN_STATE_RUNNING);
	fx->freeze_amid = false;
	for (i = 0; i < OBJECTS; i++)
		fx->object[i].capacity = WIRE;
	sh_quarantine_kick(fx->q);
	shim_advance(1000 * MS);
	CHECK_INT(fx->q->bytes, 0);
	CHECK_INT(fx->q->reserved, 0);
	CHECK_INT(fx->q->entries, 0);
	CHECK_INT(fx->q->total, fx->q->committed + fx->q->dropped);
	CHECK(sh_quarantine_idle(fx->q));
	for (i = 0; i < MEMBERS; i++)
		CHECK(list_empty(&fx->member[i].held));
	for (i = 0; i < HASH_SIZE(fx->q->objects); i++)
		CHECK(hlist_empty(&fx->q->objects[i]));
	CHECK(!sh_quarantine_sends(fx->q));
	sh_quarantine_free(fx->q);
	for (i = 0; i < OBJECTS; i++)
		CHECK_INT(fx->object[i].file.refs, 1);
	CHECK_INT(fx->cred.refs, 1);
	CHECK_INT(fx->domain.ref.refcount.refs, 1);
	CHECK_INT(shim_next_due(), U64_MAX);
	CHECK_INT(shim_spinning, 0);
	sh_quarantine_exit();
	free(fx);
}

ssize_t write_len(unsigned int m, unsigned int object, const void *data, size_t len, int how)
{
	struct object *obj = &fx->object[object];
	struct iov_iter from = { .base = data, .left = len, .good = len };
	struct sh_output o = {
		.file = &obj->file,
		.channel = obj->channel,
		.stream = how & STREAM,
		.nonblock = how & NONBLOCK,
		.timeo = how & NONBLOCK ? 0 : MAX_SCHEDULE_TIMEOUT,
		.space = SIZE_MAX,
	};

	current = &fx->task[m];
	return sh_quarantine_hold(&fx->member[m], &o, &from, len);
}

ssize_t write_text(unsigned int m, unsigned int object, const char *text)
{
	return write_len(m, object, text, strlen(text), STREAM);
}

void set_state(enum selfheal_domain_state state)
{
	fx->domain.state = state;
}

u64 counter(enum sh_counter c)
{
	return atomic64_read(&sh_counters[c]);
}

bool rule_due(struct sh_held *h, u64 now, u64 *wait)
{
	u64 before = shim_now;
	bool due;

	shim_now = now;
	due = sh_held_due(fx->q, h, wait);
	shim_now = before;
	return due;
}

bool rule_reserve(size_t want, bool stream, size_t *got)
{
	return sh_reserve(fx->q, want, stream, got);
}

void rule_unreserve(size_t n)
{
	sh_unreserve(fx->q, n);
}

u32 rule_entries_max(void)
{
	return sh_entries_max(fx->q);
}

/* The objects: what they take goes to the wire, and nothing of a frozen domain may come. */
static int object_send(struct sh_held *h)
{
	struct object *o = container_of(h->file, struct object, file);
	size_t n;
	int err = o->error;

	might_sleep();
	SHIM_REQUIRE(sh_state_runs(fx->domain.state) && !fx->q->killed);
	SHIM_REQUIRE(h->object->busy && !o->shut);
	SHIM_REQUIRE(sh_quarantine_sends(fx->q));
	if (fx->freeze_amid)
		fx->domain.state = SELFHEAL_DOMAIN_STATE_FREEZING;
	o->error = 0;
	if (err)
		return err;
	if (h->kind == SH_HELD_SHUTDOWN) {
		o->shut = true;
		return 0;
	}
	n = min_t(size_t, h->len - h->off, o->capacity - o->sent);
	memcpy(o->wire + o->sent, h->data + h->off, n);
	o->sent += n;
	h->off += n;
	return h->off < h->len ? -EAGAIN : 0;
}

int sh_socket_send(struct sh_held *h, bool more)
{
	SHIM_REQUIRE(h->object->channel == SELFHEAL_CHANNEL_SOCKET);
	container_of(h->object->inode, struct object, inode)->more += more;
	return object_send(h);
}

int sh_pipe_send(struct sh_held *h)
{
	SHIM_REQUIRE(h->object->channel == SELFHEAL_CHANNEL_PIPE);
	return object_send(h);
}

int sh_tty_send(struct sh_held *h)
{
	SHIM_REQUIRE(h->object->channel == SELFHEAL_CHANNEL_TTY);
	return object_send(h);
}

void sh_domain_event(struct sh_domain *d, u8 type)
{
	SHIM_REQUIRE(d == &fx->domain && type == SELFHEAL_EVENT_TYPE_OVERFLOW);
	fx->overflow_events++;
}

static void domain_release(struct kref *ref)
{
	shim_bug(__FILE__, __LINE__, "the domain's last reference went");
}

void sh_domain_put(struct sh_domain *d)
{
	kref_put(&d->ref, domain_release);
}

void sh_task_work_run(void)
{
	might_sleep();
	fx->task_work_runs++;
}

void sh_eventpoll_release(struct file *file)
{
	might_sleep();
	file->f_ep = NULL;
}

void sh_fds_free(struct sh_fds *fds)
{
	SHIM_REQUIRE(!fds);
}
