/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "revive.h"

#include <fcntl.h>

#include "../core/store.h"
#include "../network/network.h"
#include "record.h"

/* Each network once; of a container that cannot be read, its start will say so. */
static int add_network(struct lb_context *ctx, int containers_fd, const char *name, struct text_list *networks)
{
	CLEANUP_FD int fd = -1;
	struct record record = { 0 };
	int r = 0;

	if (!name_is_valid(name))
		return 0;
	fd = openat(containers_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (record_read(ctx, fd, name, &record) < 0)
		return 0;
	if (!text_list_has(networks, record.identity.network))
		r = text_list_add(networks, record.identity.network);
	record_free(&record);
	return r;
}

void revive_networks_of(struct lb_context *ctx, const char *const *names)
{
	CLEANUP_TEXT_LIST struct text_list networks = { 0 };
	CLEANUP_FD int containers_fd = store_open_directory(ctx, STORE_CONTAINERS);
	int r = containers_fd < 0 ? containers_fd : 0;

	for (; r == 0 && *names; names++)
		r = add_network(ctx, containers_fd, *names, &networks);
	for (size_t i = 0; i < networks.count; i++)
		if (network_revive(ctx, networks.items[i]) < 0)
			log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
}
