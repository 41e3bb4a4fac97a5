/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lease-drop.h"

#include <time.h>

#include "lease.h"

/* A release may get lost, so it is sent again; dnsmasq's file follows at once otherwise. */
enum { SEND_TRIES = 4, LOOKS = 100, LOOK_PAUSE_MS = 2 };

/* After ` MAC IPV4 ` of a line stand the name and the client id, and neither has a space in it. */
bool lease_find_client_id(const char *text, const char *mac, const char *ipv4, char ret_id[CLIENT_ID_TEXT_SIZE])
{
	char wanted[MAC_TEXT_SIZE + IPV4_TEXT_SIZE + 4];
	const char *name, *id;
	size_t length;

	snprintf(wanted, sizeof wanted, " %s %s ", mac, ipv4);
	name = strstr(text, wanted);
	if (!name)
		return false;
	name += strlen(wanted);
	id = name + strcspn(name, " \n");
	id += *id == ' ';
	length = strcspn(id, " \n");
	if (length >= CLIENT_ID_TEXT_SIZE)
		length = 0;
	memcpy(ret_id, id, length);
	ret_id[length] = '\0';
	return true;
}

/* 1 while the lease is there, 0 when it is gone. */
static int look(struct lb_context *ctx, const struct network_plan *plan, const char *mac, const char *ipv4,
		char ret_id[CLIENT_ID_TEXT_SIZE])
{
	CLEANUP_FREE char *text = NULL;
	int r = lease_file_read(ctx, plan, &text);

	return r < 0 ? r : lease_find_client_id(text, mac, ipv4, ret_id);
}

static int wait_until_gone(struct lb_context *ctx, const struct network_plan *plan, const char *mac, const char *ipv4)
{
	const struct timespec pause = { .tv_nsec = LOOK_PAUSE_MS * 1000000 };
	char id[CLIENT_ID_TEXT_SIZE];
	int r = 1;

	for (int i = 0; r > 0 && i < LOOKS; i++) {
		nanosleep(&pause, NULL);
		r = look(ctx, plan, mac, ipv4, id);
	}
	return r;
}

int lease_drop(struct lb_context *ctx, const struct network_plan *plan, const char *mac, const char *ipv4)
{
	char server[IPV4_TEXT_SIZE], id[CLIENT_ID_TEXT_SIZE];
	int r = look(ctx, plan, mac, ipv4, id);

	if (r <= 0)
		return r < 0 ? r : 1;
	if (!plan->link.up || !dnsmasq_find(plan->pid_file))
		return fail(ctx, -LB_ERR_NETWORK,
			    "no DHCP server runs on %s that could give back the lease of %s; start it with `layerbox "
			    "net up`",
			    plan->bridge, ipv4);
	ipv4_format(plan->subnet.gateway, server);
	for (int i = 0; r > 0 && i < SEND_TRIES; i++) {
		dnsmasq_release(plan->bridge, server, mac, ipv4, id);
		r = wait_until_gone(ctx, plan, mac, ipv4);
	}
	if (r <= 0)
		return r;
	return fail(ctx, -LB_ERR_TIMEOUT,
		    "the DHCP server of %s holds on to the lease of %s by %s; what it says of it is in the system log, "
		    "and "
		    "`layerbox net status %s` whether it is well",
		    plan->bridge, ipv4, mac, plan->bridge);
}
