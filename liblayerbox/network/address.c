/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "address.h"

#include <fcntl.h>
#include <sys/random.h>
#include <time.h>

#include "../util/file.h"
#include "lease.h"
#include "plan.h"
#include "quarantine.h"

/* The address that the last search began behind: so that one given back is not handed out again at once. */
#define CURSOR_FILE "../last-address"

enum { CURSOR_BYTES_MAX = 64 };

int address_gateway(struct lb_context *ctx, const char *network, char ret_ipv4[IPV4_TEXT_SIZE])
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	int r = network_plan_make(ctx, network, &plan);

	if (r < 0)
		return r;
	ipv4_format(plan.subnet.gateway, ret_ipv4);
	return 0;
}

/* One bit for each address of the pool: set where it must not be handed out. */
struct pool {
	const struct subnet *subnet;
	uint64_t *used;
};

static bool pool_is_used(const struct pool *pool, uint32_t offset)
{
	return pool->used[offset / 64] >> (offset % 64) & 1;
}

static void pool_use(struct pool *pool, uint32_t address)
{
	uint32_t offset = address - pool->subnet->first;

	if (address >= pool->subnet->first && address <= pool->subnet->last)
		pool->used[offset / 64] |= UINT64_C(1) << (offset % 64);
}

static void pool_use_text(struct pool *pool, const char *ipv4)
{
	uint32_t address;

	if (ipv4_parse(ipv4, &address))
		pool_use(pool, address);
}

static void pool_fill(struct pool *pool, const struct network_identity *taken, size_t count,
		      const struct lease_table *leases, const struct quarantine *quarantine)
{
	int64_t now = (int64_t)time(NULL);

	pool_use(pool, pool->subnet->gateway);
	for (size_t i = 0; i < count; i++)
		pool_use_text(pool, taken[i].ipv4);
	for (size_t i = 0; i < leases->count; i++)
		if (lease_is_live(leases->leases + i, now))
			pool_use_text(pool, leases->leases[i].identity.ipv4);
	for (size_t i = 0; i < quarantine->count; i++)
		pool_use(pool, quarantine->entries[i].address);
}

/* The first free address behind @last, going round at the end; false when there is none. */
static bool pool_find(const struct pool *pool, uint32_t last, uint32_t *ret_address)
{
	uint32_t size = pool->subnet->last - pool->subnet->first + 1;
	uint32_t start = last < pool->subnet->first || last > pool->subnet->last ? 0 : last - pool->subnet->first + 1;

	for (uint32_t i = 0; i < size; i++) {
		uint32_t offset = (start + i) % size;

		if (pool_is_used(pool, offset))
			continue;
		*ret_address = pool->subnet->first + offset;
		return true;
	}
	return false;
}

static int exhausted(struct lb_context *ctx, const struct network_plan *plan, size_t resting)
{
	char rest[96] = "";

	if (resting)
		snprintf(rest, sizeof rest, ", or rest for a while (%zu; `quarantine =` in layerbox.conf)", resting);
	return fail(ctx, -LB_ERR_EXHAUSTED,
		    "no address is left on %s: all %u are containers' or leased%s; delete containers, make another "
		    "network with `layerbox net create`, or give this one more: %s",
		    plan->bridge, subnet_pool_size(&plan->subnet), rest,
		    plan->by_lxc_net ? "LXC_NETMASK and LXC_DHCP_RANGE in " LXC_NET_SETTINGS_FILE
				     : "`subnet =` in layerbox.conf");
}

/*
 * Notes the address in place, in a line of fixed length: half a line is read as none, and a new file renamed
 * over the old one would cost more than all else here (ext4 begins to write such a file out at once).
 */
static int write_cursor(int hosts_fd, const char *ipv4)
{
	CLEANUP_FD int fd = openat(hosts_fd, CURSOR_FILE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	char line[IPV4_TEXT_SIZE + 1];

	if (fd < 0)
		return -errno;
	snprintf(line, sizeof line, "%-15s\n", ipv4);
	return fd_write_all(fd, line, IPV4_TEXT_SIZE);
}

static int choose_ipv4(struct lb_context *ctx, const struct network_plan *plan, struct pool *pool,
		       const struct network_identity *taken, size_t count, const struct lease_table *leases,
		       char ret_ipv4[IPV4_TEXT_SIZE])
{
	CLEANUP_FD int hosts_fd = network_plan_open_hosts(ctx, plan);
	CLEANUP_FD int directory_fd = hosts_fd < 0 ? -1 : openat(hosts_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_QUARANTINE struct quarantine quarantine = { 0 };
	CLEANUP_FREE char *cursor = NULL;
	uint32_t last = 0, address;
	int r;

	if (hosts_fd < 0)
		return hosts_fd;
	r = quarantine_load(ctx, directory_fd, &quarantine);
	if (r < 0)
		return r;
	pool_fill(pool, taken, count, leases, &quarantine);
	if (file_read(hosts_fd, CURSOR_FILE, CURSOR_BYTES_MAX, &cursor, NULL) == 0)
		(void)ipv4_parse(text_trim(cursor), &last);
	if (!pool_find(pool, last, &address))
		return exhausted(ctx, plan, quarantine.count);
	ipv4_format(address, ret_ipv4);
	r = write_cursor(hosts_fd, ret_ipv4);
	return r < 0 ? fail_errno(ctx, r, "cannot write %s/" CURSOR_FILE, plan->hosts_directory) : 0;
}

int address_rest(struct lb_context *ctx, const struct network_plan *plan, const char *ipv4)
{
	CLEANUP_FD int fd = open(plan->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? fail_errno(ctx, errno, "cannot open %s", plan->directory) : quarantine_add(ctx, fd, ipv4);
}

static bool mac_is_taken(const char *mac, const struct network_identity *taken, size_t count,
			 const struct lease_table *leases)
{
	for (size_t i = 0; i < count; i++)
		if (text_equal(taken[i].mac, mac))
			return true;
	return lease_table_has(leases, mac);
}

/* 00:16:3e is what containers' addresses begin with by custom; 00:16:3e:00 is left to bridges. */
static int choose_mac(struct lb_context *ctx, const struct network_identity *taken, size_t count,
		      const struct lease_table *leases, char ret_mac[MAC_TEXT_SIZE])
{
	unsigned char random[3];

	do {
		if (getrandom(random, sizeof random, 0) != sizeof random)
			return fail_errno(ctx, errno, "cannot get random numbers for a MAC address");
		snprintf(ret_mac, MAC_TEXT_SIZE, "00:16:3e:%02x:%02x:%02x", random[0], random[1], random[2]);
	} while (random[0] == 0 || mac_is_taken(ret_mac, taken, count, leases));
	return 0;
}

int address_choose(struct lb_context *ctx, const struct network_plan *plan, const struct network_identity *taken,
		   size_t count, struct network_identity *ret_identity)
{
	CLEANUP_LEASE_TABLE struct lease_table leases = { 0 };
	CLEANUP_FREE uint64_t *used = NULL;
	struct network_identity identity = *ret_identity;
	struct pool pool;
	int r = lease_table_load_planned(ctx, plan, &leases);

	if (r < 0)
		return r;
	used = calloc((plan->subnet.last - plan->subnet.first) / 64 + 1, sizeof *used);
	if (!used)
		return fail_memory(ctx);
	pool = (struct pool){ .subnet = &plan->subnet, .used = used };
	if (!plan->settings.is_default)
		text_copy(identity.network, sizeof identity.network, plan->bridge);
	r = choose_ipv4(ctx, plan, &pool, taken, count, &leases, identity.ipv4);
	if (r == 0)
		r = choose_mac(ctx, taken, count, &leases, identity.mac);
	if (r < 0)
		return r;
	*ret_identity = identity;
	return 0;
}
