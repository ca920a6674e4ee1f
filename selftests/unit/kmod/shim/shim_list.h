/* SPDX-License-Identifier: GPL-2.0 */
/* Lists and hash tables with the kernel's interface. */
#ifndef SELFHEAL_SHIM_LIST_H
#define SELFHEAL_SHIM_LIST_H

#include "shim_base.h"

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD(name)	struct list_head name = { &(name), &(name) }

static inline void INIT_LIST_HEAD(struct list_head *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list_head *l)
{
	return l->next == l;
}

static inline bool list_is_last(const struct list_head *entry, const struct list_head *l)
{
	return entry->next == l;
}

#define list_empty_careful(l)	list_empty(l)

static inline void list_add_tail(struct list_head *n, struct list_head *l)
{
	n->next = l;
	n->prev = l->prev;
	l->prev->next = n;
	l->prev = n;
}

/* A node that was deleted is not to be followed again. */
static inline void list_del(struct list_head *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	n->next = NULL;
	n->prev = NULL;
}

static inline void list_del_init(struct list_head *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	INIT_LIST_HEAD(n);
}

static inline void list_splice_init(struct list_head *from, struct list_head *to)
{
	if (list_empty(from))
		return;
	from->prev->next = to->next;
	to->next->prev = from->prev;
	from->next->prev = to;
	to->next = from->next;
	INIT_LIST_HEAD(from);
}

#define list_entry(p, type, m)		container_of(p, type, m)
#define list_first_entry(l, type, m)	list_entry((l)->next, type, m)
#define list_first_entry_or_null(l, type, m) \
	(list_empty(l) ? NULL : list_first_entry(l, type, m))
#define list_next_entry(p, m)		list_entry((p)->m.next, __typeof__(*(p)), m)
#define list_for_each_entry(p, l, m)						\
	for (p = list_first_entry(l, __typeof__(*p), m); &p->m != (l);		\
	     p = list_next_entry(p, m))
#define list_for_each_entry_safe(p, n, l, m)					\
	for (p = list_first_entry(l, __typeof__(*p), m), n = list_next_entry(p, m); \
	     &p->m != (l); p = n, n = list_next_entry(n, m))

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

static inline bool hlist_empty(const struct hlist_head *h)
{
	return !h->first;
}

static inline void hlist_add_head(struct hlist_node *n, struct hlist_head *h)
{
	n->next = h->first;
	if (n->next)
		n->next->pprev = &n->next;
	h->first = n;
	n->pprev = &h->first;
}

static inline void hash_del(struct hlist_node *n)
{
	*n->pprev = n->next;
	if (n->next)
		n->next->pprev = n->pprev;
	n->next = NULL;
	n->pprev = NULL;
}

#define DECLARE_HASHTABLE(name, bits)	struct hlist_head name[1 << (bits)]
#define DEFINE_HASHTABLE(name, bits)	DECLARE_HASHTABLE(name, bits)
#define HASH_SIZE(name)			(sizeof(name) / sizeof((name)[0]))
#define hash_init(name)			memset(name, 0, sizeof(name))
#define hash_min(name, key) \
	((((u64)(key) * 0x61C8864680B583EBull) >> 32) % HASH_SIZE(name))
#define hash_add(name, node, key)	hlist_add_head(node, &(name)[hash_min(name, key)])
#define hlist_entry_safe(p, type, m) \
	({ struct hlist_node *p_ = (p); p_ ? container_of(p_, type, m) : NULL; })
#define hlist_for_each_entry(o, h, m)						\
	for (o = hlist_entry_safe((h)->first, __typeof__(*o), m); o;		\
	     o = hlist_entry_safe(o->m.next, __typeof__(*o), m))
#define hash_for_each_possible(name, o, m, key) \
	hlist_for_each_entry(o, &(name)[hash_min(name, key)], m)
#define hash_for_each(name, bkt, o, m)						\
	for (bkt = 0, o = NULL; !o && bkt < (int)HASH_SIZE(name); bkt++)	\
		hlist_for_each_entry(o, &(name)[bkt], m)

typedef int (*list_cmp_func_t)(void *priv, const struct list_head *a, const struct list_head *b);

/* Stable, as the kernel's: an entry goes behind all that are not greater. */
static inline void list_sort(void *priv, struct list_head *head, list_cmp_func_t cmp)
{
	struct list_head *e = head->next, *next, *at;

	for (INIT_LIST_HEAD(head); e != head; e = next) {
		next = e->next;
		for (at = head->prev; at != head && cmp(priv, at, e) > 0; at = at->prev)
			;
		list_add_tail(e, at->next);
	}
}

#endif
