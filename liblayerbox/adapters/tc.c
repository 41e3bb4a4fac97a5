/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tc.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "netlink.h"

enum {
	/* One of our own, so that a queue of the operator's is not taken for ours: "LB". */
	HANDLE = 0x4c42 << 16,
	ETHERNET_HEADER = 14,
	MTU_DEFAULT = 1500,
	BURST_MS = 10, BURST_FRAMES = 2,
	QUEUE_MS = 50, QUEUE_FRAMES = 5,
};

/*
 * The bucket. tc-tbf(8): it must hold what comes in between two ticks of the kernel's clock, "rate / HZ" (4 ms where HZ
 * is 250, Debian's), or the rate is not reached; twice that and a little more, since a busy or virtual machine is late
 * now and then: at 10 Mbit/s one transfer in five stayed 9 % short with 4 ms, none with 10. A larger one would let more
 * through at once than was asked for. And it must hold a frame. TCP hands down up to 64 KiB as one packet (GSO): what
 * does not fit into the bucket is cut into frames by the kernel (tbf_segment() in net/sched/sch_tbf.c), so a small
 * bucket costs cycles where the rate is low, and no packets.
 *
 * The queue is bounded by time: full, it delays a frame by 50 ms, which is also the round trip over which one
 * connection can still fill the line. Five frames must fit all the same: TCP sees that one was lost by three that come
 * behind it, and with four it waits for its timer now and then (90 to 96 % of 1 Mbit/s; with five, 96). They are 60 ms
 * at 1 Mbit/s, and more only below that.
 */
struct tc_bucket tc_make_bucket(uint64_t bits_per_second, unsigned mtu)
{
	const uint64_t rate = bits_per_second / 8, frame = mtu + ETHERNET_HEADER;
	const uint64_t burst = rate * BURST_MS / 1000, queue = rate * QUEUE_MS / 1000;

	return (struct tc_bucket){
		.bytes_per_second = rate,
		.burst = (uint32_t)(burst > BURST_FRAMES * frame ? burst : BURST_FRAMES * frame),
		.limit = (uint32_t)(queue > QUEUE_FRAMES * frame ? queue : QUEUE_FRAMES * frame),
	};
}

static unsigned mtu_of(const char *name)
{
	CLEANUP_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };

	text_copy(request.ifr_name, sizeof request.ifr_name, name);
	if (fd < 0 || ioctl(fd, SIOCGIFMTU, &request) < 0 || request.ifr_mtu <= 0)
		return MTU_DEFAULT;
	return (unsigned)request.ifr_mtu;
}

static int no_interface(struct lb_context *ctx, const char *name)
{
	return fail(ctx, -LB_ERR_NETWORK, "there is no interface %s", name);
}

/* The attributes are the kernel's (net/sched/sch_tbf.c); libnl's own calls count in 32 bits. */
static bool put_bucket(struct nl_msg *message, const struct tc_bucket *bucket)
{
	const uint64_t rate = bucket->bytes_per_second;
	const struct tc_tbf_qopt parms = {
		.rate = { .linklayer = TC_LINKLAYER_ETHERNET, .rate = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate },
		.limit = bucket->limit,
	};
	struct nlattr *options;

	if (nla_put_string(message, TCA_KIND, "tbf") < 0)
		return false;
	options = nla_nest_start(message, TCA_OPTIONS);
	if (!options || nla_put(message, TCA_TBF_PARMS, sizeof parms, &parms) < 0 ||
	    nla_put_u32(message, TCA_TBF_BURST, bucket->burst) < 0 ||
	    (rate > UINT32_MAX && nla_put_u64(message, TCA_TBF_RATE64, rate) < 0))
		return false;
	nla_nest_end(message, options);
	return true;
}

int tc_set_rate(struct lb_context *ctx, const char *name, uint64_t bits_per_second)
{
	const struct tcmsg header = {
		.tcm_ifindex = (int)if_nametoindex(name), .tcm_parent = TC_H_ROOT, .tcm_handle = HANDLE,
	};
	const struct tc_bucket bucket = tc_make_bucket(bits_per_second, mtu_of(name));
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	CLEANUP_MESSAGE struct nl_msg *message = NULL;
	uint64_t present;
	int r = tc_get_rate(ctx, name, &present);

	if (r < 0 || present == bits_per_second / 8 * 8)
		return r < 0 ? r : 1;
	r = netlink_open(ctx, &sock);
	if (r < 0)
		return r;
	message = netlink_request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header);
	if (!message || !put_bucket(message, &bucket))
		return fail_memory(ctx);
	r = netlink_do(sock, message);
	if (r == -NLE_OBJ_NOTFOUND)
		return fail(ctx, -LB_ERR_KERNEL,
			    "this host cannot bound what goes to a container: its kernel has no token bucket (module "
			    "sch_tbf)");
	return r < 0 ? netlink_fail(ctx, r, "setting the rate of", name) : 0;
}

int tc_remove_rate(struct lb_context *ctx, const char *name)
{
	const struct tcmsg header = {
		.tcm_ifindex = (int)if_nametoindex(name), .tcm_parent = TC_H_ROOT, .tcm_handle = HANDLE,
	};
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	CLEANUP_MESSAGE struct nl_msg *message = NULL;
	uint64_t present;
	int r = tc_get_rate(ctx, name, &present);

	if (r < 0 || !present)
		return r < 0 ? r : 1;
	r = netlink_open(ctx, &sock);
	if (r < 0)
		return r;
	message = netlink_request(RTM_DELQDISC, 0, &header, sizeof header);
	r = netlink_do(sock, message);
	return r < 0 ? netlink_fail(ctx, r, "removing the rate of", name) : 0;
}

static int read_rate(struct nl_msg *message, void *userdata)
{
	const int header = sizeof(struct tcmsg);
	struct nlmsghdr *head = nlmsg_hdr(message);
	struct nlattr *kind = nlmsg_find_attr(head, header, TCA_KIND);
	struct nlattr *options = nlmsg_find_attr(head, header, TCA_OPTIONS), *parms, *wide;
	uint64_t *rate = userdata;

	if (((struct tcmsg *)nlmsg_data(head))->tcm_handle != HANDLE || !kind || !options ||
	    !text_equal(nla_get_string(kind), "tbf"))
		return NL_OK;
	parms = nla_find(nla_data(options), nla_len(options), TCA_TBF_PARMS);
	wide = nla_find(nla_data(options), nla_len(options), TCA_TBF_RATE64);
	if (wide)
		*rate = nla_get_u64(wide) * 8;
	else if (parms && nla_len(parms) >= (int)sizeof(struct tc_tbf_qopt))
		*rate = (uint64_t)((struct tc_tbf_qopt *)nla_data(parms))->rate.rate * 8;
	return NL_OK;
}

int tc_get_rate(struct lb_context *ctx, const char *name, uint64_t *ret_bits_per_second)
{
	const struct tcmsg header = { .tcm_ifindex = (int)if_nametoindex(name), .tcm_parent = TC_H_ROOT };
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	CLEANUP_MESSAGE struct nl_msg *message = NULL;
	uint64_t rate = 0;
	int r = header.tcm_ifindex ? netlink_open(ctx, &sock) : no_interface(ctx, name);

	if (r < 0)
		return r;
	/* The kernel answers as if to a change: to others, and with NLM_F_ECHO also to who asked. */
	message = netlink_request(RTM_GETQDISC, NLM_F_ECHO, &header, sizeof header);
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, read_rate, &rate);
	r = netlink_do(sock, message);
	/* The kernel's own first queue cannot be asked for. */
	if (r < 0 && r != -NLE_OBJ_NOTFOUND && r != -NLE_INVAL)
		return netlink_fail(ctx, r, "asking for the rate of", name);
	*ret_bits_per_second = rate;
	return 0;
}
