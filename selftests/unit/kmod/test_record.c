// SPDX-License-Identifier: GPL-2.0
/* What a call has taken in, and how it is given back. */
#include "shim.h"
#include "domain/record.c"
#include "test.h"

static struct sh_record *record_new(void)
{
	return kzalloc(sizeof(struct sh_record), GFP_KERNEL);
}

/* As a tap: @call takes @text from @from. */
static bool takes(struct sh_record *r, u64 call, const struct file *from, const char *text,
		  bool whole)
{
	if (!sh_record_begin(r, call, from) || !sh_record_room(r, strlen(text)))
		return false;
	memcpy(r->data, text, strlen(text));
	sh_record_got(r, strlen(text), whole);
	return true;
}

/* As a tap: @call gets the next @size bytes, which must be @text. */
static bool gets(struct sh_record *r, u64 call, size_t size, const char *text, bool stream)
{
	const u8 *at;
	u32 len = sh_record_next(r, size, &at);
	bool same = len == strlen(text) && !memcmp(at, text, len);

	sh_record_gave(r, call, len, stream);
	return same;
}

TEST(record_covers_its_own_call_only)
{
	struct sh_record *r = record_new();
	struct file file = { .refs = 1 };

	CHECK(!sh_record_covers(r, 0));
	CHECK(sh_record_begin(r, 5, &file));
	CHECK(!sh_record_covers(r, 5));
	CHECK(takes(r, 6, &file, "abc", true));
	CHECK(sh_record_covers(r, 6));
	CHECK(!sh_record_covers(r, 5));
	CHECK(!sh_record_covers(r, 7));
	CHECK(takes(r, 7, &file, "abc", false));
	CHECK(!sh_record_covers(r, 7));
	sh_record_free(r);
	CHECK_INT(file.refs, 1);
}

TEST(record_of_a_call_that_takes_twice_is_none)
{
	struct sh_record *r = record_new();
	struct file file = { .refs = 1 };

	CHECK(takes(r, 6, &file, "abc", true));
	CHECK(!takes(r, 6, &file, "def", true));
	CHECK(!sh_record_covers(r, 6));
	CHECK(takes(r, 7, &file, "ghi", true));
	CHECK(sh_record_covers(r, 7));
	sh_record_free(r);
}

TEST(record_is_given_back_any_number_of_times)
{
	struct sh_record *r = record_new();
	struct file file = { .refs = 1 };
	u64 call;

	CHECK(takes(r, 6, &file, "abcdef", true));
	for (call = 7; call < 20; call++) {
		sh_record_return(r, get_file(&file));
		CHECK(r->pending && r->file == &file);
		CHECK_INT(file.refs, 2);
		CHECK(gets(r, call, 100, "abcdef", true));
		CHECK(!r->pending && !r->file);
		CHECK_INT(file.refs, 1);
		CHECK(sh_record_covers(r, call));
	}
	sh_record_free(r);
}

/* Each of the calls that share it gets its own part again. */
TEST(record_in_parts)
{
	struct sh_record *r = record_new();
	struct file file = { .refs = 1 };

	CHECK(takes(r, 6, &file, "abcdef", true));
	sh_record_return(r, get_file(&file));
	CHECK(gets(r, 7, 2, "ab", true));
	CHECK(r->pending);
	CHECK(gets(r, 8, 3, "cde", true));
	CHECK(r->pending);
	sh_record_withdraw(r);
	CHECK(sh_record_covers(r, 8));
	sh_record_return(r, get_file(&file));
	CHECK(gets(r, 9, 3, "cde", true));
	CHECK(gets(r, 10, 3, "f", true));
	CHECK(!r->pending);
	CHECK_INT(file.refs, 1);
	sh_record_free(r);
}

TEST(record_of_a_datagram_goes_whole)
{
	struct sh_record *r = record_new();
	struct file file = { .refs = 1 };

	CHECK(takes(r, 6, &file, "abcdef", true));
	sh_record_return(r, get_file(&file));
	CHECK(gets(r, 7, 2, "ab", false));
	CHECK(!r->pending);
	CHECK_INT(file.refs, 1);
	sh_record_free(r);
}

TEST(record_room_is_bounded)
{
	struct sh_record *r = record_new();

	CHECK(sh_record_room(r, 1));
	CHECK_INT(r->size, SH_REPLAY_MIN);
	CHECK(sh_record_room(r, SH_REPLAY_MIN + 1));
	CHECK_INT(r->size, 2 * SH_REPLAY_MIN);
	CHECK(sh_record_room(r, 1));
	CHECK_INT(r->size, 2 * SH_REPLAY_MIN);
	CHECK(sh_record_room(r, SIZE_MAX));
	CHECK_INT(r->size, SH_REPLAY_MAX);
	sh_record_free(r);
}

TEST(record_drops_what_it_holds)
{
	struct sh_record *r = record_new();
	struct file file = { .refs = 1 }, conn = { .refs = 1 }, other = { .refs = 2 };

	CHECK(!sh_record_withdraw(r));
	CHECK(!sh_record_accept(r, get_file(&conn)));
	r->offered = true;
	CHECK_INT(conn.refs, 2);
	/* The program has closed it: it closes with the record. */
	fput(&conn);
	CHECK(sh_record_accept(r, get_file(&other)));
	CHECK(!r->offered);
	CHECK_INT(conn.refs, 0);
	CHECK(!sh_record_accept(r, NULL));
	CHECK_INT(other.refs, 2);
	CHECK(takes(r, 6, &file, "a", true));
	sh_record_return(r, get_file(&file));
	sh_record_accept(r, get_file(&other));
	sh_record_free(r);
	CHECK_INT(file.refs, 1);
	CHECK_INT(other.refs, 2);
	sh_record_free(NULL);
}
