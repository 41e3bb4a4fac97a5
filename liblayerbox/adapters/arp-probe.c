/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "arp-probe.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#define NUD_KNOWN (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

enum { MAC_BYTES = 6, REPLY_BYTES_MAX = 4096 };

/* One entry of the kernel's table of neighbours. */
struct neighbour {
	uint16_t state;
	char mac[18];
};

struct request {
	struct nlmsghdr header;
	struct ndmsg neighbour;
	struct rtattr attribute;
	uint32_t address;
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void parse_neighbour(struct nlmsghdr *header, struct neighbour *ret_neighbour)
{
	struct ndmsg *neighbour = NLMSG_DATA(header);
	size_t rest = header->nlmsg_len - NLMSG_LENGTH(sizeof *neighbour);

	*ret_neighbour = (struct neighbour){ .state = neighbour->ndm_state };
	for (struct rtattr *a = (struct rtattr *)(neighbour + 1); RTA_OK(a, rest); a = RTA_NEXT(a, rest)) {
		const unsigned char *mac = RTA_DATA(a);

		if (a->rta_type == NDA_LLADDR && RTA_PAYLOAD(a) == MAC_BYTES)
			snprintf(ret_neighbour->mac, sizeof ret_neighbour->mac, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
				 mac[1], mac[2], mac[3], mac[4], mac[5]);
	}
}

/* The kernel has answered when send(2) is back: there is nothing to wait for. @ret_neighbour: of RTM_GETNEIGH. */
static int ask(const struct arp_probe *probe, uint16_t type, uint16_t flags, uint8_t neighbour_flags,
	       struct neighbour *ret_neighbour)
{
	const struct request request = {
		.header = { .nlmsg_len = sizeof request, .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags },
		.neighbour = { .ndm_family = AF_INET, .ndm_ifindex = probe->index, .ndm_flags = neighbour_flags },
		.attribute = { .rta_len = RTA_LENGTH(sizeof request.address), .rta_type = NDA_DST },
		.address = probe->address,
	};
	union {
		struct nlmsghdr header;
		char bytes[REPLY_BYTES_MAX];
	} reply;
	ssize_t n;

	if (send(probe->fd, &request, sizeof request, 0) < 0)
		return -errno;
	n = recv(probe->fd, &reply, sizeof reply, MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof reply.header || reply.header.nlmsg_len > (size_t)n)
		return -EIO;
	if (reply.header.nlmsg_type == NLMSG_ERROR && reply.header.nlmsg_len >= NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return ((const struct nlmsgerr *)NLMSG_DATA(&reply.header))->error;
	if (!ret_neighbour || reply.header.nlmsg_type != RTM_NEWNEIGH ||
	    reply.header.nlmsg_len < NLMSG_LENGTH(sizeof(struct ndmsg)))
		return -EIO;
	parse_neighbour(&reply.header, ret_neighbour);
	return 0;
}

/* What the kernel remembers of an earlier user would be taken for an answer; what an administrator has set is one. */
static void begin(const struct arp_probe *probe)
{
	struct neighbour neighbour;

	if (ask(probe, RTM_GETNEIGH, 0, 0, &neighbour) == 0) {
		if (neighbour.state & (NUD_PERMANENT | NUD_NOARP))
			return;
		(void)ask(probe, RTM_DELNEIGH, NLM_F_ACK, 0, NULL);
	}
	(void)ask(probe, RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE, NTF_USE, NULL);
}

void arp_probe_begin(const char *bridge, const char *ipv4, struct arp_probe *ret_probe)
{
	struct arp_probe probe = { .fd = -1, .index = (int)if_nametoindex(bridge), .begun_us = now_us() };

	if (probe.index && inet_pton(AF_INET, ipv4, &probe.address) == 1)
		probe.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (probe.fd >= 0)
		begin(&probe);
	*ret_probe = probe;
}

static bool is_known(const struct arp_probe *probe, char ret_mac[18])
{
	struct neighbour neighbour;

	if (ask(probe, RTM_GETNEIGH, 0, 0, &neighbour) < 0 || !(neighbour.state & NUD_KNOWN))
		return false;
	if (ret_mac)
		text_copy(ret_mac, sizeof neighbour.mac, neighbour.mac);
	return true;
}

bool arp_probe_answered(const struct arp_probe *probe, unsigned minimum_ms, char ret_mac[18])
{
	int64_t left_us = probe->begun_us + (int64_t)minimum_ms * 1000 - now_us();
	struct timespec pause = { .tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000 };

	if (probe->fd < 0)
		return false;
	if (is_known(probe, ret_mac))
		return true;
	if (left_us <= 0)
		return false;
	nanosleep(&pause, NULL);
	return is_known(probe, ret_mac);
}

void arp_probe_end(struct arp_probe *probe)
{
	struct neighbour neighbour;

	if (probe->fd < 0)
		return;
	/* An answer may be remembered: it is true. What has none would be asked twice more, and then kept as failed. */
	if (ask(probe, RTM_GETNEIGH, 0, 0, &neighbour) == 0 && !(neighbour.state & NUD_KNOWN))
		(void)ask(probe, RTM_DELNEIGH, NLM_F_ACK, 0, NULL);
	close_fd(take_fd(&probe->fd));
}
