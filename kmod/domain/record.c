// SPDX-License-Identifier: GPL-2.0
/* See record.h. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "record.h"

bool sh_record_room(struct sh_record *r, size_t size)
{
	u32 want = roundup_pow_of_two(clamp_t(size_t, size, SH_REPLAY_MIN, SH_REPLAY_MAX));
	u8 *data;

	if (r->size >= want)
		return true;
	data = kmalloc(want, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!data)
		return false;
	kfree(r->data);
	r->data = data;
	r->size = want;
	return true;
}

bool sh_record_begin(struct sh_record *r, u64 call, const struct file *from)
{
	if (r->call == call && (r->len || r->lost)) {
		r->lost = true;
		return false;
	}
	r->call = call;
	r->from = from;
	r->len = 0;
	r->off = 0;
	r->start = 0;
	r->lost = false;
	r->peeks = false;
	r->flags = 0;
	r->namelen = 0;
	return true;
}

void sh_record_got(struct sh_record *r, u32 len, bool whole)
{
	r->len = len;
	r->lost = !whole;
}

bool sh_record_covers(const struct sh_record *r, u64 call)
{
	return r->call == call && r->len && !r->lost;
}

void sh_record_return(struct sh_record *r, struct file *file)
{
	r->file = file;
	r->off = r->start;
	r->pending = true;
}

u32 sh_record_next(const struct sh_record *r, size_t size, const u8 **at)
{
	*at = r->data + r->off;
	return min_t(size_t, size, r->len - r->off);
}

void sh_record_gave(struct sh_record *r, u64 call, u32 len, bool stream)
{
	if (r->call != call)
		r->start = r->off;
	r->call = call;
	r->off += len;
	if (r->off < r->len && stream)
		return;
	r->pending = false;
	fput(r->file);
	r->file = NULL;
}

static bool sh_record_put(struct file *file)
{
	bool last;

	if (!file)
		return false;
	last = file_count(file) == 1;
	fput(file);
	return last;
}

bool sh_record_withdraw(struct sh_record *r)
{
	bool last = sh_record_put(r->file);

	r->file = NULL;
	r->pending = false;
	r->offered = false;
	return last;
}

bool sh_record_accept(struct sh_record *r, struct file *file)
{
	bool last = sh_record_put(r->accepted);

	r->accepted = file;
	r->offered = false;
	return last;
}

void sh_record_free(struct sh_record *r)
{
	if (!r)
		return;
	sh_record_withdraw(r);
	sh_record_accept(r, NULL);
	kfree(r->data);
	kfree(r);
}
