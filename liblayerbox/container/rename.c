/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../adapters/rights.h"
#include "../boot/after.h"
#include "../core/store.h"
#include "../events/event.h"
#include "../network/guests.h"
#include "../network/host-names.h"
#include "../network/plan.h"
#include "../network/reservation.h"
#include "../rebase/apply.h"
#include "../snapshot/mount.h"
#include "console-log.h"
#include "container.h"
#include "next.h"
#include "readdress.h"
#include "rename.h"
#include "rerender.h"

static int rename_files(struct lb_context *ctx, const char *name, int directory_fd, const struct record *record)
{
	struct rootfs_values old = { 0 }, new;
	CLEANUP_NETWORK_PLAN struct network_plan network = { 0 };
	int r = network_plan_make(ctx, record->identity.network, &network);

	if (r == 0)
		r = render_rootfs_values(ctx, record->renamed_from, record, &network, &old);
	if (r < 0)
		return r;
	new = old;
	new.name = name;
	return rerender_rootfs(ctx, directory_fd, record, &old, &new);
}

int rename_finish(struct lb_context *ctx, const char *name, int directory_fd, struct record *record)
{
	int r = render_config(ctx, directory_fd, name, record);

	if (r >= 0)
		r = reservation_write(ctx, name, &record->identity);
	if (r >= 0)
		r = guests_change(ctx, record->renamed_from, record, name, record);
	if (r >= 0 && !text_equal(name, record->renamed_from))
		r = rename_files(ctx, name, directory_fd, record);
	if (r >= 0 && !text_equal(name, record->renamed_from))
		r = after_rename(ctx, record->renamed_from, name);
	if (r < 0)
		return r;
	console_log_rename(ctx, record->renamed_from, name);
	record->renamed_from[0] = '\0';
	return record_write(ctx, directory_fd, name, record);
}

/*
 * What holds the name is made from the directory's name. First the record says what is going on; then the directory
 * changes its name, in one step; then all is made anew. Whoever kills us in between leaves a record by which the next
 * start or doctor finishes.
 */
static int rename_locked(struct lb_container *container, int directory_fd, const char *new_name)
{
	struct lb_context *ctx = container->ctx;
	struct record *record = &container->record;
	CLEANUP_FD int containers_fd = store_open_directory(ctx, STORE_CONTAINERS);
	const char *name = new_name;
	int r = containers_fd < 0 ? containers_fd : 0, finished;

	text_copy(record->renamed_from, sizeof record->renamed_from, container->name);
	if (r == 0)
		r = record_write(ctx, directory_fd, container->name, record);
	if (r == 0)
		r = reservation_remove(ctx, record->identity.network, container->name); /* never both at once: one address would be reserved twice */
	if (r < 0)
		return r;
	if (renameat2(containers_fd, container->name, containers_fd, new_name, RENAME_NOREPLACE) < 0) {
		r = errno == EEXIST ? fail(ctx, -LB_ERR_EXISTS, "there is a container '%s' already", new_name)
				    : fail_errno(ctx, errno, "cannot rename container '%s'", container->name);
		name = container->name;
	} else if (fsync(containers_fd) < 0) {
		log_message(ctx, LB_LOG_WARNING, "the new name may not be on disk yet");
	}
	if (r < 0) {
		char error[ERROR_MAX];

		text_copy(error, sizeof error, ctx->error);
		rename_finish(ctx, name, directory_fd, record);
		return fail(ctx, r, "%s", error);
	}
	host_names_follow(ctx);
	finished = rename_finish(ctx, name, directory_fd, record);
	return finished < 0 ? fail_wrap(ctx, finished, "container '%s' has its new name, but", new_name) : 0;
}

static int rename_container(struct lb_container *container, const char *new_name)
{
	struct lb_context *ctx = container->ctx;
	CLEANUP_FREE char *directory = NULL;
	struct record record = { 0 };
	CLEANUP_FD int root_lock = -1;
	CLEANUP_FD int directory_fd = -1;
	int r = name_check(ctx, "container", new_name);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r < 0 || text_equal(container->name, new_name))
		return r < 0 ? r : 1;
	directory_fd = container_lock_with_root(ctx, container->name, &root_lock);
	if (directory_fd < 0)
		return directory_fd;
	r = container_require_stopped(ctx, container->name, "stop it first with `layerbox stop`, then rename it");
	if (r == 0)
		r = snapshot_require_unmounted(ctx, container->name, NULL);
	if (r < 0)
		return r;
	directory = store_path(ctx, STORE_CONTAINERS "/%s", new_name);
	if (!directory)
		return fail_memory(ctx);
	r = record_read(ctx, directory_fd, container->name, &record);
	if (r == 0)
		r = rebase_recover(ctx, container->name, directory_fd, &record);
	if (r < 0)
		return r;
	record_free(&container->record);
	container->record = record;
	if (*record.ipv4_before)
		r = readdress_finish(ctx, container->name, directory_fd, &container->record);
	if (r < 0)
		return r;
	r = rename_locked(container, directory_fd, new_name);
	if (r < 0)
		return r;
	text_copy(container->name, sizeof container->name, new_name);
	free(container->directory);
	container->directory = TAKE_PTR(directory);
	return 0;
}

int lb_container_rename(struct lb_container *container, const char *new_name)
{
	CLEANUP_FREE char *from = text_format("from %s", container->name);
	const int r = rename_container(container, new_name);

	/* Under the name that it has now. */
	return event_of(container->ctx, "rename", container->name, r, from ? from : "");
}
