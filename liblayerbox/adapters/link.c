/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "../util/file.h"
#include "bridge-port.h"
#include "netlink.h"

enum { IF_INET6_BYTES_MAX = 16 << 20 };

static void cleanup_link(struct rtnl_link **link)
{
	rtnl_link_put(*link);
}

static void cleanup_nl_addr(struct nl_addr **addr)
{
	nl_addr_put(*addr);
}

static void cleanup_rtnl_addr(struct rtnl_addr **addr)
{
	rtnl_addr_put(*addr);
}

#define CLEANUP_LINK CLEANUP(cleanup_link)

/* The older interface gives just what is needed here: the first address, without those of all interfaces. */
static void get_address(const char *name, char *ret_address, size_t size)
{
	CLEANUP_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq address = { 0 }, mask = { 0 };
	struct sockaddr_in in;
	char text[INET_ADDRSTRLEN];

	text_copy(address.ifr_name, sizeof address.ifr_name, name);
	text_copy(mask.ifr_name, sizeof mask.ifr_name, name);
	if (fd < 0 || ioctl(fd, SIOCGIFADDR, &address) < 0 || ioctl(fd, SIOCGIFNETMASK, &mask) < 0)
		return;
	memcpy(&in, &address.ifr_addr, sizeof in);
	inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
	memcpy(&in, &mask.ifr_netmask, sizeof in);
	snprintf(ret_address, size, "%s/%d", text, __builtin_popcount(in.sin_addr.s_addr));
}

int link_get(struct lb_context *ctx, const char *name, struct link_state *ret_state)
{
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	CLEANUP_LINK struct rtnl_link *link = NULL;
	struct link_state state = { 0 };
	const char *alias, *type;
	int r = netlink_open(ctx, &sock);

	if (r < 0)
		return r;
	r = rtnl_link_get_kernel(sock, 0, name, &link);
	if (r == -NLE_NODEV || r == -NLE_OBJ_NOTFOUND) {
		*ret_state = state;
		return 0;
	}
	if (r < 0)
		return netlink_fail(ctx, r, "looking at the interface", name);
	type = rtnl_link_get_type(link);
	alias = rtnl_link_get_ifalias(link);
	state.index = rtnl_link_get_ifindex(link);
	state.is_bridge = type && text_equal(type, "bridge");
	state.up = rtnl_link_get_flags(link) & IFF_UP;
	text_copy(state.alias, sizeof state.alias, alias ? alias : "");
	if (rtnl_link_get_addr(link))
		nl_addr2str(rtnl_link_get_addr(link), state.mac, sizeof state.mac);
	get_address(name, state.address, sizeof state.address);
	*ret_state = state;
	return 0;
}

int link_make_bridge(struct lb_context *ctx, const char *name, const char *mac, const char *alias, int *ret_index)
{
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	CLEANUP_LINK struct rtnl_link *link = rtnl_link_bridge_alloc();
	CLEANUP(cleanup_nl_addr) struct nl_addr *address = NULL;
	unsigned index;
	int r = netlink_open(ctx, &sock);

	if (r < 0)
		return r;
	if (!link || nl_addr_parse(mac, AF_LLC, &address) < 0)
		return fail_memory(ctx);
	rtnl_link_set_name(link, name);
	rtnl_link_set_addr(link, address);
	r = rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL);
	if (r < 0)
		return netlink_fail(ctx, r, "making the bridge", name);
	index = if_nametoindex(name);
	if (!index)
		return fail_errno(ctx, errno, "the bridge %s vanished while it was made", name);
	*ret_index = (int)index;
	/* The kernel takes no alias at birth. */
	return link_set_alias(ctx, name, *ret_index, alias);
}

/* Changes what is set in @change on the interface of that index. */
static int change_link(struct lb_context *ctx, const char *name, int index, struct rtnl_link *change)
{
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	CLEANUP_LINK struct rtnl_link *link = rtnl_link_alloc();
	int r = netlink_open(ctx, &sock);

	if (r < 0)
		return r;
	if (!link)
		return fail_memory(ctx);
	rtnl_link_set_ifindex(link, index);
	r = rtnl_link_change(sock, link, change, 0);
	return r < 0 ? netlink_fail(ctx, r, "changing the interface", name) : 0;
}

int link_set_alias(struct lb_context *ctx, const char *name, int index, const char *alias)
{
	CLEANUP_LINK struct rtnl_link *change = rtnl_link_alloc();

	if (!change)
		return fail_memory(ctx);
	rtnl_link_set_ifalias(change, alias);
	return change_link(ctx, name, index, change);
}

int link_set_mtu(struct lb_context *ctx, const char *name, int index, unsigned mtu)
{
	CLEANUP_LINK struct rtnl_link *change = rtnl_link_alloc();

	if (!change)
		return fail_memory(ctx);
	rtnl_link_set_mtu(change, mtu);
	return change_link(ctx, name, index, change);
}

int link_set_up(struct lb_context *ctx, const char *name, int index)
{
	CLEANUP_LINK struct rtnl_link *change = rtnl_link_alloc();

	if (!change)
		return fail_memory(ctx);
	rtnl_link_set_flags(change, IFF_UP);
	return change_link(ctx, name, index, change);
}

/* What the kernel is asked to add or delete; negative errors are libnl's. */
static int make_address(int index, const char *address, struct rtnl_addr **ret_entry)
{
	CLEANUP(cleanup_nl_addr) struct nl_addr *local = NULL;
	CLEANUP(cleanup_rtnl_addr) struct rtnl_addr *entry = rtnl_addr_alloc();
	int r = entry ? nl_addr_parse(address, AF_UNSPEC, &local) : -NLE_NOMEM;

	if (r == 0) {
		rtnl_addr_set_ifindex(entry, index);
		r = rtnl_addr_set_local(entry, local);
		/*
		 * A bridge without ports has no carrier: duplicates would be looked for until the first container
		 * comes.
		 */
		if (nl_addr_get_family(local) == AF_INET6)
			rtnl_addr_set_flags(entry, IFA_F_NODAD);
	}
	if (r < 0)
		return r;
	*ret_entry = TAKE_PTR(entry);
	return 0;
}

/* How an interface is given an address, and how it is taken from it. */
static const struct address_change {
	int (*ask)(struct nl_sock *sock, struct rtnl_addr *entry, int flags);
	int flags;
	int nothing_to_do;            /* libnl's error that says so */
	const char *what;
} give = { rtnl_addr_add, NLM_F_CREATE | NLM_F_EXCL, -NLE_EXIST, "giving an address to" },
  take = { rtnl_addr_delete, 0, -NLE_NOADDR, "taking an address from" };

static int change_address(struct lb_context *ctx, const struct address_change *change, const char *name, int index,
			  const char *address)
{
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	CLEANUP(cleanup_rtnl_addr) struct rtnl_addr *entry = NULL;
	int r = netlink_open(ctx, &sock);

	if (r < 0)
		return r;
	r = make_address(index, address, &entry);
	if (r == 0)
		r = change->ask(sock, entry, change->flags);
	if (r == change->nothing_to_do)
		return 1;
	return r < 0 ? netlink_fail(ctx, r, change->what, name) : 0;
}

int link_add_address(struct lb_context *ctx, const char *name, int index, const char *address)
{
	return change_address(ctx, &give, name, index, address);
}

int link_remove_address(struct lb_context *ctx, const char *name, int index, const char *address)
{
	return change_address(ctx, &take, name, index, address);
}

/* From the kernel's short list: 32 hex digits, index, prefix length, scope, flags, name. */
bool link_has_ipv6(const char *name, const char *address)
{
	CLEANUP_FREE char *text = NULL;
	char wanted[33], *save = NULL;
	struct in6_addr in;

	if (inet_pton(AF_INET6, address, &in) != 1 ||
	    file_read(AT_FDCWD, "/proc/net/if_inet6", IF_INET6_BYTES_MAX, &text, NULL) < 0)
		return false;
	for (size_t i = 0; i < sizeof in; i++)
		snprintf(wanted + 2 * i, 3, "%02x", in.s6_addr[i]);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *space = strrchr(line, ' ');

		if (text_after(line, wanted) && space && text_equal(space + 1, name))
			return true;
	}
	return false;
}

bool link_is_port(const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/sys/class/net/%.15s/brport", name);
	return access(path, F_OK) == 0;
}

int link_delete(struct lb_context *ctx, const char *name, int index)
{
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	CLEANUP_LINK struct rtnl_link *link = rtnl_link_alloc();
	int r = netlink_open(ctx, &sock);

	if (r < 0)
		return r;
	if (!link)
		return fail_memory(ctx);
	rtnl_link_set_ifindex(link, index);
	r = rtnl_link_delete(sock, link);
	return r < 0 ? netlink_fail(ctx, r, "deleting the interface", name) : 0;
}

int link_count_ports(struct lb_context *ctx, const char *name, int index, unsigned *ret_count)
{
	struct bridge_port *ports;
	size_t count;
	int r = bridge_port_list(ctx, name, index, &ports, &count);

	if (r < 0)
		return r;
	free(ports);
	*ret_count = (unsigned)count;
	return 0;
}

int link_is_up(const char *name)
{
	CLEANUP_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };

	if (fd < 0)
		return -errno;
	if (!text_copy(request.ifr_name, sizeof request.ifr_name, name))
		return -ENODEV;
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return -errno;
	return (request.ifr_flags & IFF_UP) != 0;
}
