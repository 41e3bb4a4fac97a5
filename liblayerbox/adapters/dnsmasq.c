/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dnsmasq.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "../util/spawn.h"

enum { DNS_PORT = 53, PASSWD_BYTES = 4096, PORT_LOOKS = 20 };

int dnsmasq_require(struct lb_context *ctx)
{
	CLEANUP_FREE char *path = NULL;

	if (spawn_find("dnsmasq", &path))
		return 0;
	return fail(ctx, -LB_ERR_NO_PROGRAM,
		    "dnsmasq, which gives containers their addresses and names, is not installed: `apt install "
		    "dnsmasq-base`");
}

/* The first of those that lxc-net looks for, too. */
static uid_t find_user(const char **ret_name, gid_t *ret_gid)
{
	static const char *const names[] = { "lxc-dnsmasq", "dnsmasq", "nobody" };
	char space[PASSWD_BYTES];
	struct passwd entry, *found;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		*ret_name = names[i];
		if (getpwnam_r(names[i], &entry, space, sizeof space, &found) != 0 || !found)
			continue;
		*ret_gid = entry.pw_gid;
		return entry.pw_uid;
	}
	*ret_gid = 65534;
	return 65534;
}

const char *dnsmasq_user(void)
{
	const char *name;
	gid_t gid;

	(void)find_user(&name, &gid);
	return name;
}

int dnsmasq_check_readable(struct lb_context *ctx, const char *directory)
{
	CLEANUP_FREE char *path = realpath(directory, NULL);
	const char *user;
	gid_t gid;
	uid_t uid = find_user(&user, &gid);

	if (!path)
		return fail_errno(ctx, errno, "cannot look at %s", directory);
	for (char *end = path + strlen(path); end && end > path; end = strrchr(path, '/')) {
		struct stat st;
		mode_t wanted;

		*end = '\0';
		if (stat(path, &st) < 0)
			return fail_errno(ctx, errno, "cannot look at %s", path);
		wanted = st.st_uid == uid ? S_IXUSR : st.st_gid == gid ? S_IXGRP : S_IXOTH;
		if (!(st.st_mode & wanted))
			return fail(ctx, -LB_ERR_NETWORK,
				    "dnsmasq, which runs as user %s, cannot read the reservations in %s, because %s is "
				    "closed to it: "
				    "`chmod o+x %s`",
				    user, directory, path, path);
	}
	return 0;
}

/* 0, or the errno of binding @address; without SO_REUSEADDR, so that who listens on all addresses shows, too. */
static int try_port(const char *address, int type)
{
	CLEANUP_FD int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	int yes = 1;

	if (fd < 0 || inet_pton(AF_INET, address, &in.sin_addr) != 1)
		return 0;
	/* The address need not be there yet. */
	if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &yes, sizeof yes) < 0)
		return 0;
	/* A connection that is over keeps the address for a while; that is no one who listens. */
	if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0)
		return 0;
	return bind(fd, (struct sockaddr *)&in, sizeof in) < 0 ? errno : 0;
}

/* A process that was just killed has its port for a moment longer. */
static bool is_port_free(const char *address)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000000 };

	for (int i = 0; i < PORT_LOOKS; i++) {
		if (try_port(address, SOCK_DGRAM) != EADDRINUSE && try_port(address, SOCK_STREAM) != EADDRINUSE)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

int dnsmasq_check_port(struct lb_context *ctx, const char *address)
{
	if (is_port_free(address))
		return 0;
	return fail(ctx, -LB_ERR_NETWORK,
		    "another program answers DNS on port 53 of all addresses, so dnsmasq cannot on %s; see which with "
		    "`ss -lntup "
		    "'sport = 53'`, and bind it to its own addresses (for a dnsmasq: bind-interfaces)",
		    address);
}

static int run(struct lb_context *ctx, const struct text_list *arguments)
{
	const struct spawn_options options = { .outlives_caller = true };
	CLEANUP_FREE char *output = NULL;
	int status, r;

	r = spawn_run((const char *const *)arguments->items, &options, &status, &output);
	if (r == -ENOENT)
		return dnsmasq_require(ctx) < 0 ? -LB_ERR_NO_PROGRAM : -ENOENT;
	if (r < 0)
		return fail_errno(ctx, r, "cannot run dnsmasq");
	if (status != 0)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED, "dnsmasq did not start: %s",
			    text_printable(text_trim(output)));
	return 0;
}

int dnsmasq_start_with(struct lb_context *ctx, const struct text_list *arguments, const char *pid_file)
{
	int r = run(ctx, arguments);

	if (r == 0 && !dnsmasq_find(pid_file))
		return fail(ctx, -LB_ERR_PROGRAM_FAILED,
			    "dnsmasq ended right after its start; its last words are in the system log");
	return r;
}

/*
 * Stateful, with a static range: who has a reservation gets that address, and nobody gets another. The router
 * advertisements say so (managed, the prefix not for autonomous addresses); their MTU is the bridge's own.
 */
static int add_ipv6(struct text_list *list, const struct dnsmasq_settings *s)
{
	int r = text_list_add(list, "--enable-ra");

	return r | text_list_format(list, "--dhcp-range=%s,static,64,12h", s->ipv6);
}

static int add_dhcp(struct text_list *list, const struct dnsmasq_settings *s)
{
	int r = text_list_format(list, "--dhcp-range=%s,%s,%s,12h", s->range_first, s->range_last, s->netmask);

	r |= text_list_format(list, "--dhcp-lease-max=%u", s->ipv6 ? 2 * s->lease_max : s->lease_max);
	r |= text_list_format(list, "--dhcp-hostsdir=%s", s->hosts_directory);
	r |= text_list_format(list, "--dhcp-leasefile=%s", s->lease_file);
	r |= text_list_add(list, "--dhcp-authoritative");
	/* A name is what is reserved for it: nobody else on the bridge gets one by asking. */
	r |= text_list_add(list, "--dhcp-ignore-names=tag:!known");
	if (s->mtu)
		r |= text_list_format(list, "--dhcp-option=option:mtu,%u", s->mtu);
	return s->ipv6 ? r | add_ipv6(list, s) : r;
}

/* 0 or -ENOMEM. */
static int make_arguments(const struct dnsmasq_settings *s, struct text_list *list)
{
	int r = text_list_add(list, "dnsmasq");

	r |= text_list_add(list, "--conf-file=/dev/null"); /* not the host's own */
	r |= text_list_format(list, "--pid-file=%s", s->pid_file);
	r |= text_list_format(list, "--user=%s", dnsmasq_user());
	/* Dynamic: bound to the interface itself, so it is no open resolver for who routes packets to the address. */
	r |= text_list_add(list, "--bind-dynamic");
	r |= text_list_format(list, "--interface=%s", s->bridge);
	r |= text_list_add(list, "--except-interface=lo");
	if (!s->no_dhcp)
		r |= add_dhcp(list, s);
	if (s->names_directory)
		r |= text_list_format(list, "--hostsdir=%s", s->names_directory);
	r |= text_list_format(list, "--domain=%s", s->domain);
	r |= text_list_format(list, "--local=/%s/", s->domain);
	r |= text_list_add(list, "--domain-needed");
	r |= text_list_add(list, "--no-hosts");
	return r != 0 ? -ENOMEM : 0;
}

int dnsmasq_start(struct lb_context *ctx, const struct dnsmasq_settings *settings)
{
	CLEANUP_TEXT_LIST struct text_list list = { 0 };

	int r = make_arguments(settings, &list) < 0 ? fail_memory(ctx)
						    : dnsmasq_start_with(ctx, &list, settings->pid_file);

	if (r == 0)
		(void)dnsmasq_comes_to_watch(settings->pid_file,
					     settings->no_dhcp ? settings->names_directory : settings->hosts_directory);
	return r;
}

bool dnsmasq_has_settings(pid_t pid, const struct dnsmasq_settings *settings)
{
	CLEANUP_TEXT_LIST struct text_list list = { 0 };

	return make_arguments(settings, &list) == 0 && dnsmasq_has_arguments(pid, &list);
}

int dnsmasq_test(struct lb_context *ctx, const struct text_list *arguments)
{
	CLEANUP_TEXT_LIST struct text_list list = { 0 };
	int r = 0;

	for (size_t i = 0; i < arguments->count && r == 0; i++)
		r = text_list_add(&list, arguments->items[i]);
	if (r == 0)
		r = text_list_add(&list, "--test");
	return r < 0 ? fail_memory(ctx) : run(ctx, &list);
}
