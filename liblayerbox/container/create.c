/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "../adapters/rights.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../network/reservation.h"
#include "../util/file.h"
#include "../util/tree.h"
#include "container.h"
#include "id-range.h"
#include "layout.h"
#include "render.h"
#include "settings.h"

/* What is made before the container has its name; all of it goes when the name cannot be had. */
struct draft {
	struct lb_context *ctx;
	const char *name;
	char hidden[NAME_LENGTH_MAX + 16];      /* .new-NAME, until it is called NAME */
	int containers_fd, directory_fd;
	struct record record;
	int *fds;                               /* files that must be on disk before it has its name */
	size_t fd_count;
	bool finished;
};

static void draft_close(struct draft *draft)
{
	if (!draft->finished && draft->directory_fd >= 0)
		tree_remove(draft->containers_fd, draft->hidden);
	for (size_t i = 0; i < draft->fd_count; i++)
		close_fd(draft->fds[i]);
	free(draft->fds);
	record_free(&draft->record);
	close_fd(draft->directory_fd);
	close_fd(draft->containers_fd);
}

static int keep_fd(struct draft *draft, int fd)
{
	int *larger = reallocarray(draft->fds, draft->fd_count + 1, sizeof *larger);

	if (!larger) {
		close_fd(fd);
		return fail_memory(draft->ctx);
	}
	draft->fds = larger;
	draft->fds[draft->fd_count++] = fd;
	return 0;
}

static int add_file(struct draft *draft, const char *file, const char *text, mode_t mode)
{
	int fd, r = file_create(draft->directory_fd, file, text, strlen(text), mode, &fd);

	return r < 0 ? fail_errno(draft->ctx, r, "cannot write %s", file) : keep_fd(draft, fd);
}

/* The container's directories; the top layer's own mode and owner are those of / inside. */
static int make_directories(struct draft *draft, int base_fd)
{
	struct stat root;

	if (mkdirat(draft->containers_fd, draft->hidden, 0700) < 0)
		return fail_errno(draft->ctx, errno, "cannot make its directory");
	draft->directory_fd = openat(draft->containers_fd, draft->hidden, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (draft->directory_fd < 0 || flock(draft->directory_fd, LOCK_EX | LOCK_NB) < 0)
		return fail_errno(draft->ctx, errno, "cannot open its directory");
	if (fstat(base_fd, &root) < 0 || mkdirat(draft->directory_fd, LAYOUT_TOP, 0755) < 0 ||
	    mkdirat(draft->directory_fd, LAYOUT_WORK, 0700) < 0 || mkdirat(draft->directory_fd, LAYOUT_ROOTFS, 0755) < 0 ||
	    fchmodat(draft->directory_fd, LAYOUT_TOP, root.st_mode & 07777, 0) < 0)
		return fail_errno(draft->ctx, errno, "cannot make its directories");
	return 0;
}

/* Everything of the draft that has no part in what others choose from. */
static int fill(struct draft *draft, const struct lb_base *base, int base_fd)
{
	CLEANUP_FREE char *record = record_to_text(&draft->record);
	CLEANUP_FD int top_fd = openat(draft->directory_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (top_fd < 0)
		return fail_errno(draft->ctx, errno, "cannot open its top layer");
	if (!record)
		return fail_memory(draft->ctx);
	/* Not among the files that are synced: every start renders it again where it is not what it should be. */
	r = render_config_on(draft->ctx, draft->directory_fd, draft->name, &draft->record, base);
	if (r < 0)
		return r;
	r = add_file(draft, RECORD_FILE, record, 0600);
	if (r == 0)
		r = render_rootfs(draft->ctx, top_fd, base_fd, draft->name, &draft->record, &draft->fds, &draft->fd_count);
	return r;
}

/* What others choose from as well: the caller holds the root's lock until the container has its name. */
static int choose(struct draft *draft)
{
	struct record_identity *others = NULL;
	struct network_identity *taken;
	uint32_t highest = 0;
	size_t count = 0;
	int r = record_list_identities(draft->ctx, &others, &count);

	if (r < 0)
		return r;
	taken = calloc(count + 1, sizeof *taken);
	for (size_t i = 0; taken && i < count; i++) {
		taken[i] = others[i].identity;
		highest = others[i].id_end > highest ? others[i].id_end : highest;
	}
	free(others);
	if (!taken)
		return fail_memory(draft->ctx);
	r = address_choose(draft->ctx, taken, count, &draft->record.identity);
	free(taken);
	if (r < 0 || draft->record.privileged)
		return r;
	draft->record.id_count = ID_RANGE_COUNT;
	return id_range_allocate(draft->ctx, draft->name, highest, &draft->record.id_start);
}

static int name_is_taken(struct lb_context *ctx, const char *name)
{
	return fail(ctx, -LB_ERR_EXISTS, "there is a container '%s' already", name);
}

/* Gives the draft its name, in one step, when everything of it is on disk. */
static int publish(struct draft *draft)
{
	struct lb_context *ctx = draft->ctx;
	int r = files_sync(draft->fds, draft->fd_count);

	if (r < 0)
		return fail_errno(ctx, r, "cannot write it to disk");
	if (renameat2(draft->containers_fd, draft->hidden, draft->containers_fd, draft->name, RENAME_NOREPLACE) < 0)
		return errno == EEXIST ? name_is_taken(ctx, draft->name) : fail_errno(ctx, errno, "cannot give it its name");
	text_copy(draft->hidden, sizeof draft->hidden, draft->name);
	if (fsync(draft->containers_fd) < 0)
		return fail_errno(ctx, errno, "cannot write it to disk");
	/*
	 * Last, and first to go in delete: so there is never a reservation without its container, whose address could be
	 * given to another. One that is missing is written at the next start.
	 */
	r = reservation_write(ctx, draft->name, &draft->record.identity);
	draft->finished = r == 0;
	return r;
}

static int create_locked(struct draft *draft, const struct lb_base *base)
{
	CLEANUP_FD int base_fd = open(base->directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (base_fd < 0)
		return fail_errno(draft->ctx, errno, "cannot open base %s", base->directory);
	draft->containers_fd = store_open_directory(draft->ctx, STORE_CONTAINERS);
	if (draft->containers_fd < 0)
		return draft->containers_fd;
	if (faccessat(draft->containers_fd, draft->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return name_is_taken(draft->ctx, draft->name);
	store_sweep(draft->ctx, draft->containers_fd, "container");
	r = choose(draft);
	if (r == 0)
		r = make_directories(draft, base_fd);
	if (r == 0)
		r = fill(draft, base, base_fd);
	return r < 0 ? r : publish(draft);
}

int lb_container_create(struct lb_context *ctx, const char *name, const struct lb_create_options *options,
			struct lb_container **ret_container)
{
	const char *base_name = options && options->base ? options->base : ctx->config.base;
	const char *description = options && options->description ? options->description : "";
	struct draft draft = { .ctx = ctx, .name = name, .containers_fd = -1, .directory_fd = -1 };
	struct lb_base *base = NULL;
	CLEANUP_FD int lock_fd = -1;
	int r = CHECK_INPUT(ctx, options, lb_create_options);

	if (r == 0)
		r = name_check(ctx, "container", name);
	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = rights_require_kernel(ctx, !(options && options->privileged));
	if (r < 0)
		return r;
	lock_fd = lock_root(ctx);
	if (lock_fd < 0)
		return lock_fd;
	r = base_open(ctx, base_name, &base);
	if (r < 0)
		return r;
	draft.record = (struct record){
		.generation = base->generation,
		.privileged = options && options->privileged,
		.autostart = true,
		.created = time(NULL),
		.description = strdup(""),
	};
	strcpy(draft.record.base, base->name);
	snprintf(draft.hidden, sizeof draft.hidden, STORE_NEW_PREFIX "%s", name);
	if (!draft.record.description)
		r = fail_memory(ctx);
	else if (settings_find("description")->set(&draft.record, description))
		r = fail(ctx, -LB_ERR_BAD_VALUE, "the description %s", settings_find("description")->set(&draft.record, description));
	if (r == 0)
		r = create_locked(&draft, base);
	if (r < 0 && r != -LB_ERR_EXISTS && r != -LB_ERR_EXHAUSTED)
		fail_wrap(ctx, r, "cannot create container '%s'", name);
	if (r == 0 && ret_container)
		r = container_make(ctx, name, &draft.record, ret_container);
	draft_close(&draft);
	lb_base_free(base);
	return r;
}
