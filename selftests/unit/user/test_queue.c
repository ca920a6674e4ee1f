// SPDX-License-Identifier: GPL-2.0
/* The agent's list of open incidents. */
#include <errno.h>
#include <limits.h>

#include "agent_queue.h"
#include "test.h"

TEST(queue_orders_by_due_time)
{
	struct agent_queue q = { 0 };

	CHECK_INT(agent_queue_timeout(&q, 0), -1);
	CHECK_INT(agent_queue_add(&q, 1, 3, 500), 0);
	CHECK_INT(agent_queue_add(&q, 2, 3, 300), 0);
	CHECK_INT(agent_queue_add(&q, 3, 0, AGENT_NEVER), 0);
	CHECK_INT(agent_queue_next(&q)->incident, 2);
	CHECK_INT(agent_queue_timeout(&q, 100), 200);
	CHECK_INT(agent_queue_timeout(&q, 300), 0);
	CHECK_INT(agent_queue_timeout(&q, 9000), 0);
	agent_queue_remove(&q, 2);
	CHECK_INT(agent_queue_next(&q)->incident, 1);
	agent_queue_remove(&q, 1);
	CHECK(!agent_queue_next(&q));
	CHECK_INT(agent_queue_timeout(&q, 0), -1);
	CHECK(agent_queue_find(&q, 3));
	agent_queue_release(&q);
}

TEST(queue_takes_an_incident_once)
{
	struct agent_queue q = { 0 };

	CHECK_INT(agent_queue_add(&q, 7, 1, 5), 0);
	CHECK_INT(agent_queue_add(&q, 7, 3, 1), -EEXIST);
	CHECK_INT(agent_queue_next(&q)->verdict, 1);
	agent_queue_remove(&q, 99);
	CHECK_INT(q.n, 1);
	agent_queue_release(&q);
}

TEST(queue_far_times_do_not_wrap)
{
	struct agent_queue q = { 0 };

	CHECK_INT(agent_queue_add(&q, 1, 1, AGENT_NEVER - 1), 0);
	CHECK_INT(agent_queue_timeout(&q, 0), INT_MAX);
	agent_queue_release(&q);
}

TEST(queue_resync_drops_what_is_gone)
{
	struct agent_queue q = { 0 };
	uint64_t id;

	for (id = 1; id <= 5; id++)
		CHECK_INT(agent_queue_add(&q, id, 1, id), 0);
	agent_queue_begin_sync(&q);
	agent_queue_find(&q, 2)->seen = true;
	CHECK_INT(agent_queue_add(&q, 6, 1, 6), 0);
	agent_queue_end_sync(&q);
	CHECK_INT(q.n, 2);
	CHECK(agent_queue_find(&q, 2) && agent_queue_find(&q, 6));
	agent_queue_release(&q);
}
