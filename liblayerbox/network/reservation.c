/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reservation.h"

#include <fcntl.h>

#include "../adapters/dnsmasq.h"
#include "../core/name.h"
#include "../util/file.h"
#include "fixed-name.h"
#include "lease-release.h"
#include "plan.h"

enum { RESERVATION_BYTES_MAX = 512 };

static void make_line(char *line, size_t size, const struct network_plan *plan, const char *name,
		      const struct network_identity *identity)
{
	char ipv6[IPV6_TEXT_SIZE];

	network_plan_ipv6(plan, identity->ipv4, ipv6);
	snprintf(line, size, "%s,id:*,%s,%s%s%s%s\n", identity->mac, identity->ipv4, *ipv6 ? "[" : "", ipv6,
		 *ipv6 ? "]," : "", name);
}

/* Nothing but a name, a MAC and an address goes into dnsmasq's files: commas and newlines mean something there. */
static int check(struct lb_context *ctx, const char *name, const struct network_identity *identity)
{
	int r = name_check(ctx, "container", name);

	if (r < 0)
		return r;
	if (!address_is_mac(identity->mac) || !address_is_ipv4(identity->ipv4))
		return fail(ctx, -LB_ERR_BAD_VALUE, "\"%.17s\" and \"%.15s\" are not a MAC and an IPv4 address",
			    identity->mac, identity->ipv4);
	return 0;
}

static bool is_line(const struct network_plan *plan, int hosts_fd, const char *name,
		    const struct network_identity *identity)
{
	CLEANUP_FREE char *present = NULL;
	char line[RESERVATION_BYTES_MAX];

	make_line(line, sizeof line, plan, name, identity);
	return file_read(hosts_fd, name, RESERVATION_BYTES_MAX, &present, NULL) == 0 && text_equal(present, line);
}

bool reservation_is(struct lb_context *ctx, const struct network_plan *plan, int hosts_fd, const char *name,
		    const struct network_identity *identity)
{
	return is_line(plan, hosts_fd, name, identity) && fixed_name_is(ctx, plan, name, identity);
}

int reservation_write_planned(struct lb_context *ctx, const struct network_plan *plan, const char *name,
			      const struct network_identity *identity)
{
	CLEANUP_FD int hosts_fd = -1;
	char line[RESERVATION_BYTES_MAX];
	bool replaces;
	int r = check(ctx, name, identity);

	if (r < 0)
		return r;
	hosts_fd = network_plan_open_hosts(ctx, plan);
	if (hosts_fd < 0)
		return hosts_fd;
	r = fixed_name_write(ctx, plan, name, identity);
	if (r < 0)
		return r;
	if (is_line(plan, hosts_fd, name, identity))
		return 0;
	replaces = faccessat(hosts_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	make_line(line, sizeof line, plan, name, identity);
	r = file_write(hosts_fd, name, line, strlen(line), 0644, FILE_LAZY);
	if (r < 0)
		return fail_errno(ctx, r, "cannot write %s/%s", plan->hosts_directory, name);
	if (!replaces)
		return 0;
	/* dnsmasq only adds what it reads from a changed file; the old reservation goes with a reload. */
	r = dnsmasq_reload(ctx, plan->pid_file);
	return r < 0 ? r : 0;
}

int reservation_write(struct lb_context *ctx, const char *name, const struct network_identity *identity)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	int r = network_plan_make(ctx, identity->network, &plan);

	return r < 0 ? r : reservation_write_planned(ctx, &plan, name, identity);
}

/* Cuts MAC and address out of a line as make_line() makes it. */
static bool parse_line(char *line, struct network_identity *ret_identity)
{
	char *save = NULL;
	const char *mac = strtok_r(line, ",", &save), *id = strtok_r(NULL, ",", &save),
		   *ipv4 = strtok_r(NULL, ",", &save);

	if (!mac || !id || !ipv4 || !address_is_mac(mac) || !address_is_ipv4(ipv4))
		return false;
	text_copy(ret_identity->mac, sizeof ret_identity->mac, mac);
	text_copy(ret_identity->ipv4, sizeof ret_identity->ipv4, ipv4);
	return true;
}

/* Whoever has the lease of the container's IPv6 address, under whatever client id, has it no longer. */
static void release_ipv6(struct lb_context *ctx, const struct network_plan *plan, const char *ipv4)
{
	char ipv6[IPV6_TEXT_SIZE];

	network_plan_ipv6(plan, ipv4, ipv6);
	if (*ipv6)
		lease_release_ipv6(ctx, plan, ipv6);
}

int reservation_before_start(struct lb_context *ctx, const struct network_plan *plan, const char *name,
			     const struct network_identity *identity)
{
	int r = reservation_write_planned(ctx, plan, name, identity);

	if (r == 0)
		release_ipv6(ctx, plan, identity->ipv4);
	return r;
}

/* Before the reservation goes: with it, dnsmasq knows the lease as one without a client id, as a release must match. */
static void release_lease(struct lb_context *ctx, const struct network_plan *plan, const char *name, int hosts_fd)
{
	CLEANUP_FREE char *line = NULL;
	struct network_identity identity;
	char server[IPV4_TEXT_SIZE];

	if (!plan->link.index || file_read(hosts_fd, name, RESERVATION_BYTES_MAX, &line, NULL) < 0)
		return;
	ipv4_format(plan->subnet.gateway, server);
	if (!parse_line(line, &identity))
		return;
	dnsmasq_release(plan->bridge, server, identity.mac, identity.ipv4, "");
	release_ipv6(ctx, plan, identity.ipv4);
}

int reservation_remove_planned(struct lb_context *ctx, const struct network_plan *plan, const char *name)
{
	CLEANUP_FD int hosts_fd = -1;
	int r = name_check(ctx, "container", name);

	if (r < 0)
		return r;
	hosts_fd = network_plan_open_hosts(ctx, plan);
	if (hosts_fd < 0)
		return hosts_fd;
	release_lease(ctx, plan, name, hosts_fd);
	r = fixed_name_remove(ctx, plan, name);
	if (r < 0)
		return r;
	if (unlinkat(hosts_fd, name, 0) < 0)
		return errno == ENOENT ? 1 : fail_errno(ctx, errno, "cannot remove %s/%s", plan->hosts_directory, name);
	r = dnsmasq_reload(ctx, plan->pid_file);
	return r < 0 ? r : 0;
}

int reservation_remove(struct lb_context *ctx, const char *network, const char *name)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	int r = network_plan_make(ctx, network, &plan);

	return r < 0 ? r : reservation_remove_planned(ctx, &plan, name);
}

int reservation_remove_anywhere(struct lb_context *ctx, const char *name)
{
	CLEANUP_TEXT_LIST struct text_list networks = { 0 };
	int r = network_settings_list(ctx, &networks);

	for (size_t i = 0; r >= 0 && i < networks.count; i++)
		r = reservation_remove(ctx, networks.items[i], name);
	return r < 0 ? r : 0;
}

int reservation_list(struct lb_context *ctx, int hosts_fd, struct text_list *ret_names)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_DIR DIR *dir = take_dir(openat(hosts_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;

	if (!dir)
		return fail_errno(ctx, errno, "cannot read the directory of reservations");
	while ((entry = readdir(dir))) {
		if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
			continue;
		if (text_list_add(&names, entry->d_name) < 0)
			return fail_memory(ctx);
	}
	*ret_names = names;
	names = (struct text_list){ 0 };
	return 0;
}

int reservation_count(struct lb_context *ctx, int hosts_fd, unsigned *ret_count)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	unsigned count = 0;
	int r = reservation_list(ctx, hosts_fd, &names);

	if (r < 0)
		return r;
	for (size_t i = 0; i < names.count; i++)
		count += *names.items[i] != '.';
	*ret_count = count;
	return 0;
}
