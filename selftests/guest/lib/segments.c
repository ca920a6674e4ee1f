// SPDX-License-Identifier: GPL-2.0
/* By the kernel's header: the C library's struct tcp_info ends before that number. */
#include <linux/in.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include "segments.h"

uint32_t segments_in(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ? 0 : info.tcpi_data_segs_in;
}
