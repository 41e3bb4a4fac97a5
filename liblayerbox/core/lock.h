/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may change what: flock(2) on directories, so that a lock ends with its holder and leaves no file behind in the
 * root.
 *
 * The order, for whoever takes more than one: that of a container's live snapshots (snapshot/ahead.h), the root's, a
 * container's, the firewall's, a host file's. The root's lock guards what all share: which names, addresses and id
 * ranges are taken, bases, the network. A container's guards its directory. A lock is given back by closing its
 * descriptor.
 */
#pragma once

#include "context.h"

int lock_root(struct lb_context *ctx);

/* flock(2) on anything else, for a minute at most: -EWOULDBLOCK, without a sentence. */
int lock_patiently(int fd);

/*
 * Guards a file of the host's that the commands of all roots change, such as /etc/hosts: held shortly, and taken last.
 */
int lock_host_file(struct lb_context *ctx, const char *file);

/*
 * Locks containers/NAME and returns a descriptor of the directory, which is also good for reading it.
 * -LB_ERR_NO_CONTAINER where there is none (any more); -LB_ERR_BUSY when it stays locked for a minute.
 */
int lock_container(struct lb_context *ctx, const char *name);

/* The same without waiting: -LB_ERR_BUSY at once. For who holds the root's lock and needs several. */
int lock_container_at_once(struct lb_context *ctx, const char *name);

/* Locks the root, then the container. Returns the container's descriptor; both are the caller's. */
int lock_root_and_container(struct lb_context *ctx, const char *name, int *ret_root_lock);

/*
 * Guards what nftables has for the containers of this root: held shortly, and taken last. Who applies the whole of it
 * reads the records under this lock, so that what others do after they have changed one comes before or after.
 */
int lock_firewall(struct lb_context *ctx);
