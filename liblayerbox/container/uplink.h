/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container's link to its network as the host has it: the veth's end that is a port of the bridge, and what the
 * record says of it. LXC makes it anew at every start and every reboot from inside; then layerbox-hook sets all this.
 */
#pragma once

#include "../adapters/link-group.h"
#include "../network/port.h"
#include "record.h"

/* What its port is called while it runs. */
void uplink_name(const struct lb_context *ctx, const struct record *record, char ret_name[PORT_NAME_SIZE]);

bool uplink_is_isolated(struct lb_context *ctx, const struct record *record);

/* Must anything be set on its port whenever LXC has made it? */
bool uplink_needs_hook(struct lb_context *ctx, const struct record *record);

/* Sets on interface @port what the record says: isolation, and the rate to the container. */
int uplink_apply(struct lb_context *ctx, const char *port, const struct record *record);

/* Is interface @port as uplink_apply() would make it? 1 or 0. */
int uplink_is_right(struct lb_context *ctx, const char *port, const struct record *record);

/* Does uplink_apply() for every container that runs on a network whose settings were changed. */
int uplink_follow_network(struct lb_context *ctx, const char *network);

/*
 * Deletes those of the ports @names that there are, all at once: of containers that are about to be killed, or whose
 * monitor was killed so that the kernel is still clearing up. What does not go is left to LXC, and told to the log.
 */
void uplink_delete(struct lb_context *ctx, const struct text_list *names);

/* The same beside what the caller does until uplink_delete_end(). */
void uplink_delete_begin(struct lb_context *ctx, const struct text_list *names, struct link_deletion *ret_deletion);
void uplink_delete_end(struct lb_context *ctx, struct link_deletion *deletion);
