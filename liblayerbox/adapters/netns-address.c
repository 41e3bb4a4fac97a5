/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for an address in another network namespace: rtnetlink tells of each that comes, and of those there are. */
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "../util/cleanup.h"
#include "../util/clock.h"
#include "netns.h"

enum { MESSAGES_MAX = 32768 };

/* Before it is asked what there is, so that nothing can come unnoticed between the two. */
static int subscribe(int pid_fd)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_IFADDR };
	CLEANUP_FD int fd = netns_socket(pid_fd, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0)
		return take_fd(&fd);
	if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
		return -errno;
	return take_fd(&fd);
}

static int ask_for_all(int fd)
{
	const struct {
		struct nlmsghdr header;
		struct ifaddrmsg body;
	} request = {
		.header = { .nlmsg_len = sizeof request, .nlmsg_type = RTM_GETADDR,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .ifa_family = AF_INET },
	};

	return send(fd, &request, sizeof request, 0) < 0 ? -errno : 0;
}

/* Is it a message of an address that has come or is there, and of this one? */
static bool tells_of(struct nlmsghdr *message, uint32_t wanted)
{
	struct ifaddrmsg *body = NLMSG_DATA(message);
	int rest = (int)message->nlmsg_len - (int)NLMSG_LENGTH(sizeof *body);

	if (message->nlmsg_type != RTM_NEWADDR || rest < 0 || body->ifa_family != AF_INET)
		return false;
	for (struct rtattr *item = IFA_RTA(body); RTA_OK(item, rest); item = RTA_NEXT(item, rest)) {
		uint32_t address;

		if (item->rta_type != IFA_LOCAL || RTA_PAYLOAD(item) != sizeof address)
			continue;
		memcpy(&address, RTA_DATA(item), sizeof address);
		if (address == wanted)
			return true;
	}
	return false;
}

/* Reads what is there: 1 when the address is among it, 0 when not, or a negative errno. */
static int hear(int fd, uint32_t wanted)
{
	char messages[MESSAGES_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct sockaddr_nl sender;
	socklen_t size = sizeof sender;
	ssize_t n = recvfrom(fd, messages, sizeof messages, 0, (struct sockaddr *)&sender, &size);
	int length = (int)n;

	/* More than there was room for: what was lost is asked for again. */
	if (n < 0 && errno == ENOBUFS)
		return ask_for_all(fd);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	/* Root of that namespace may write to this socket as well. */
	if (sender.nl_pid != 0)
		return 0;
	for (struct nlmsghdr *message = (struct nlmsghdr *)(void *)messages; nlmsg_ok(message, length);
	     message = nlmsg_next(message, &length))
		if (tells_of(message, wanted))
			return 1;
	return 0;
}

int netns_wait_for_address(int pid_fd, const char *ipv4, unsigned timeout_s)
{
	const int64_t end_ms = clock_ms() + (int64_t)timeout_s * 1000;
	CLEANUP_FD int fd = subscribe(pid_fd);
	struct in_addr wanted;
	int r = fd;

	if (r >= 0)
		r = inet_pton(AF_INET, ipv4, &wanted) == 1 ? ask_for_all(fd) : -EINVAL;
	while (r == 0) {
		struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = pid_fd, .events = POLLIN } };
		int64_t left = end_ms - clock_ms();

		if (left < 0)
			return -ETIMEDOUT; /* also where there are messages without end */
		if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
			r = -errno;
		else if (fds[1].revents)
			r = -ESRCH;
		else if (fds[0].revents)
			r = hear(fd, wanted.s_addr);
	}
	return r < 0 ? r : 0;
}
