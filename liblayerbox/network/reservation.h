/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reservations as dnsmasq reads them: ROOT/network/BRIDGE/hosts.d/NAME, one line `MAC,id:*,IPV4,[IPV6],NAME`. The
 * `id:*` makes them hold whatever client id the guest sends. They are made from the containers' records and
 * can always be made anew from them.
 */
#pragma once

#include "address.h"

struct network_plan;

/* Writes or replaces the reservation on the identity's network; dnsmasq sees it at once (inotify). */
int reservation_write(struct lb_context *ctx, const char *name, const struct network_identity *identity);
int reservation_write_planned(struct lb_context *ctx, const struct network_plan *plan, const char *name,
			      const struct network_identity *identity);

/* Writes it where it is not as it should be, and frees the address from who may have held it (see lease-release.h). */
int reservation_before_start(struct lb_context *ctx, const struct network_plan *plan, const char *name,
			     const struct network_identity *identity);

/* Removes it, gives its lease back, and has dnsmasq forget it (SIGHUP). 1 when there was none. */
int reservation_remove(struct lb_context *ctx, const char *network, const char *name);
int reservation_remove_planned(struct lb_context *ctx, const struct network_plan *plan, const char *name);

/* On whichever network it is, for a container whose record cannot be read. */
int reservation_remove_anywhere(struct lb_context *ctx, const char *name);

/* How many there are below @hosts_fd, a descriptor of hosts.d that is not changed. */
int reservation_count(struct lb_context *ctx, int hosts_fd, unsigned *ret_count);

/* Their names and those of what killed commands left, which begin with a dot. */
int reservation_list(struct lb_context *ctx, int hosts_fd, struct text_list *ret_names);

/* Is the reservation of @name there, and as it must be? */
bool reservation_is(struct lb_context *ctx, const struct network_plan *plan, int hosts_fd, const char *name,
		    const struct network_identity *identity);
