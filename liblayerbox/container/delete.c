/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>

#include "../adapters/rights.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../events/event.h"
#include "../network/guests.h"
#include "../network/host-names.h"
#include "../network/plan.h"
#include "../network/reservation.h"
#include "../snapshot/layer.h"
#include "../snapshot/mount.h"
#include "../snapshot/snapshot.h"
#include "../util/tree.h"
#include "console-log.h"
#include "container.h"
#include "id-range.h"
#include "next.h"

/*
 * The address is free for others, but not at once: they may still know the container by it. @record NULL: it cannot be
 * read, and its network is not known.
 */
static int give_back(struct lb_context *ctx, const char *name, const struct record *record)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	int r;

	if (!record)
		return reservation_remove_anywhere(ctx, name);
	r = network_plan_make(ctx, record->identity.network, &plan);
	if (r == 0)
		r = reservation_remove_planned(ctx, &plan, name);
	return r < 0 ? r : address_rest(ctx, &plan, record->identity.ipv4);
}

/*
 * Hides the directory, and has the firewall forget the container before another can have its address or its ports.
 * @record NULL: it cannot be read.
 */
static int hide(struct lb_context *ctx, int containers_fd, const char *name, const struct record *record,
		char hidden[128])
{
	CLEANUP_FD int lock = lock_firewall(ctx);
	int r = lock < 0 ? lock : store_hide(ctx, containers_fd, name, hidden);

	if (r < 0)
		return fail_wrap(ctx, r, "cannot delete container '%s'", name);
	r = record ? guests_dismiss(ctx, name, record) : guests_dismiss_unknown(ctx);
	if (r < 0)
		log_message(ctx, LB_LOG_WARNING,
			    "container '%s' is deleted, but not from the firewall; `layerbox doctor` puts that right: "
			    "%s",
			    name, ctx->error);
	return 0;
}

/*
 * Hides the container's directory, which deletes it for everyone, then removes it. Whoever kills us in between
 * leaves a hidden directory that the next command removes.
 */
static int delete_locked(struct lb_context *ctx, const char *name, const struct record *record)
{
	CLEANUP_FD int containers_fd = store_open_directory(ctx, STORE_CONTAINERS);
	char hidden[128];
	int r;

	if (containers_fd < 0)
		return containers_fd;
	r = id_range_sync(ctx); /* until now the container's record has kept its range from others */
	if (r < 0)
		return r;
	r = give_back(ctx, name, record);
	/* Behind that, nobody would come back for them. */
	if (r >= 0)
		console_log_remove(ctx, name);
	if (r >= 0)
		r = hide(ctx, containers_fd, name, record, hidden);
	if (r < 0)
		return r;
	if (fsync(containers_fd) < 0)
		log_message(ctx, LB_LOG_WARNING, "the deletion of container '%s' may not be on disk yet", name);
	host_names_follow(ctx);
	r = tree_remove(containers_fd, hidden);
	if (r < 0)
		return fail_errno(ctx, r,
				  "container '%s' is deleted, but some of its files are still in %s/" STORE_CONTAINERS
				  "/%s",
				  name, ctx->config.root, hidden);
	return 0;
}

/* Does it name layers, which may be nobody's any more when it is gone? So can a change that was not finished. */
static bool has_layers(int directory_fd, const struct record *record)
{
	return !record || record->layers.count || next_is_committed(directory_fd) ||
	       faccessat(directory_fd, LAYOUT_SNAPSHOTS, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A container whose record cannot be read can be deleted, too; its network is not known then. */
static int read_and_delete(struct lb_context *ctx, int directory_fd, const char *name)
{
	struct record record = { 0 };
	const struct record *known = record_read(ctx, directory_fd, name, &record) == 0 ? &record : NULL;
	int r = has_layers(directory_fd, known) ? layers_sweep_later(ctx) : 0;

	if (r == 0)
		r = delete_locked(ctx, name, known);
	record_free(&record);
	return r;
}

/* The container is gone; what this frees is freed by the next sweep otherwise. */
static void sweep_layers(struct lb_context *ctx, const char *name)
{
	if (layers_sweep_is_due(ctx) && layers_sweep(ctx) < 0)
		log_message(ctx, LB_LOG_WARNING, "container '%s' is deleted, but its layers are still there: %s", name,
			    ctx->error);
}

int container_delete_locked(struct lb_context *ctx, const char *name, int lock_fd)
{
	CLEANUP_FD int fd = lock_fd;
	int r = container_require_stopped(ctx, name,
					  "stop it first with `layerbox stop`, or delete it with --force");

	if (r == 0)
		r = snapshot_require_unmounted(ctx, name, NULL);
	if (r == 0)
		r = read_and_delete(ctx, fd, name);
	close_fd(take_fd(&fd));
	if (r == 0)
		sweep_layers(ctx, name);
	return r;
}

static int delete_container(struct lb_context *ctx, const char *name, bool force)
{
	const struct lb_run_options kill = { .size = sizeof kill, .kill = true };
	int r = name_check(ctx, "container", name);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r < 0)
		return r;
	for (;;) {
		int lock_fd = lock_container(ctx, name);

		r = lock_fd < 0 ? lock_fd : container_delete_locked(ctx, name, lock_fd);
		if (r != -LB_ERR_RUNNING || !force)
			return r;
		/* Stopping takes the lock itself; should someone start it meanwhile, it is stopped again. */
		r = lb_containers_stop(ctx, (const char *const[]){ name, NULL }, &kill, NULL, NULL);
		if (r < 0)
			return r;
	}
}

int lb_container_delete(struct lb_context *ctx, const char *name, bool force)
{
	return event_of(ctx, "delete", name, delete_container(ctx, name, force), "");
}
