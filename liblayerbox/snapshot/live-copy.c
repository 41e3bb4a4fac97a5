/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/random.h>

#include "../util/tree.h"
#include "layer.h"
#include "live-private.h"

/* ---- beginning and end ---- */

static int open_previous(struct live_copy *copy, int previous_fd)
{
	int r;

	if (previous_fd < 0)
		return 0;
	r = live_states_load(copy->ctx, previous_fd, &copy->previous);
	if (r != 0)
		return r < 0 ? r : 0;
	copy->previous_fd = tree_open_beneath(previous_fd, LAYER_TREE, O_PATH | O_DIRECTORY);
	if (copy->previous_fd < 0)
		return fail_errno(copy->ctx, copy->previous_fd, "cannot open the previous layer of container '%s'",
				  copy->container);
	copy->root->directory->previous = 0;
	return 0;
}

/* A name that nobody can have foreseen; and the whiteout that all others are links to. */
static int make_aside(struct live_copy *copy)
{
	unsigned long long random;

	getentropy(&random, sizeof random);
	snprintf(copy->aside_name, sizeof copy->aside_name, ".layerbox-aside.%016llx", random);
	if (mkdirat(copy->target_fd, copy->aside_name, 0700) < 0)
		return -errno;
	copy->aside_fd = openat(copy->target_fd, copy->aside_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (copy->aside_fd < 0)
		return -errno;
	(void)!mknodat(copy->aside_fd, "whiteout", S_IFCHR, 0); /* needs rights that only whiteouts need */
	return 0;
}

static int open_trees(struct live_copy *copy, int source_fd, int target_fd)
{
	struct stat st;

	copy->source_fd = openat(source_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy->source_fd < 0 || fstat(copy->source_fd, &st) < 0)
		return -errno;
	copy->device = st.st_dev;
	copy->target_fd = openat(target_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return copy->target_fd < 0 ? -errno : make_aside(copy);
}

int live_copy_begin(struct lb_context *ctx, const char *container, int source_fd, int target_fd, int previous_fd,
		    struct live_copy **ret_copy)
{
	CLEANUP_LIVE_COPY struct live_copy *copy = calloc(1, sizeof *copy);
	int r;

	if (!copy)
		return fail_memory(ctx);
	copy->ctx = ctx;
	copy->hot_margin_ns = LIVE_HOT_MARGIN_NS;
	copy->source_fd = copy->target_fd = copy->previous_fd = copy->aside_fd = -1;
	pthread_mutex_init(&copy->mutex, NULL);
	pthread_mutex_init(&copy->queue.mutex, NULL);
	pthread_cond_init(&copy->queue.changed, NULL);
	text_copy(copy->container, sizeof copy->container, container);
	copy->root = live_node_new(copy, NULL, "");
	if (copy->root)
		copy->root->directory = live_directory_new(copy);
	if (!copy->root || !copy->root->directory)
		return fail_memory(ctx);
	copy->root->made = true;
	r = open_trees(copy, source_fd, target_fd);
	if (r < 0)
		return fail_errno(ctx, r, "cannot begin a copy of the top layer of container '%s'", container);
	r = open_previous(copy, previous_fd);
	if (r < 0)
		return r;
	*ret_copy = TAKE_PTR(copy);
	return 0;
}

static int remove_aside(struct live_copy *copy)
{
	int r;

	if (copy->aside_fd < 0)
		return 0;
	close_fd(take_fd(&copy->aside_fd));
	r = tree_remove(copy->target_fd, copy->aside_name);
	return r < 0 ? fail_errno(copy->ctx, r, "cannot remove what container '%s' had removed", copy->container) : 0;
}

void live_copy_free(struct live_copy **copy_pointer)
{
	struct live_copy *copy = *copy_pointer;

	if (!copy)
		return;
	*copy_pointer = NULL;
	if (copy->aside_fd >= 0)
		(void)tree_remove(copy->target_fd, copy->aside_name); /* the whole target goes, then */
	live_states_free(&copy->previous);
	live_tree_free(copy);
	close_fd(copy->aside_fd);
	close_fd(copy->source_fd);
	close_fd(copy->target_fd);
	close_fd(copy->previous_fd);
	pthread_cond_destroy(&copy->queue.changed);
	pthread_mutex_destroy(&copy->queue.mutex);
	pthread_mutex_destroy(&copy->mutex);
	free(copy->queue.tasks);
	free(copy->links.items);
	free(copy->inodes.items);
	free(copy->failed_path);
	free(copy);
}

void live_copy_get_counts(const struct live_copy *copy, struct live_copy_counts *ret_counts)
{
	*ret_counts = copy->counts;
}

/* ---- passes ---- */

/* The one sentence for what threads have noted. */
static int report(struct live_copy *copy)
{
	CLEANUP_FREE char *path = copy->failed_path ? strdup(copy->failed_path) : NULL;
	const char *shown = path ? text_printable(path) : "";
	int error = copy->failure;

	if (!copy->failed_what || error == -ENOMEM)
		return fail_memory(copy->ctx);
	if (error == -EXDEV)
		return fail(copy->ctx, -EBUSY, "container '%s': something is mounted on /%.1000s of its top layer",
			    copy->container, shown);
	if (copy->last && (error == -ENOENT || error == -ESTALE))
		return fail(copy->ctx, -EBUSY,
			    "container '%s': /%.1000s changed while all was frozen: somebody else writes to it",
			    copy->container, shown);
	if (error == -E2BIG)
		return fail(copy->ctx, error,
			    "container '%s': its directories have more extended attributes than can be kept in memory",
			    copy->container);
	return fail_errno(copy->ctx, error, "container '%s': cannot %s /%.1000s", copy->container, copy->failed_what,
			  shown);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* By how much the clock of inodes is before the one that is never set. */
static int64_t clock_lead(void)
{
	return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
}

/* All pages are clean behind it: what is written later shows. What was written before the moment was on its way. */
static int make_clean(struct live_copy *copy)
{
	int64_t since = clock_ns(CLOCK_REALTIME_COARSE) - copy->hot_margin_ns;

	copy->hot_since = (struct timespec){ .tv_sec = since / 1000000000, .tv_nsec = since % 1000000000 };
	if (syncfs(copy->source_fd) < 0)
		return fail_errno(copy->ctx, errno, "cannot write the files of container '%s' to disk",
				  copy->container);
	return 0;
}

static int walk(struct live_copy *copy)
{
	struct live_node *root = copy->root;
	struct stat st;
	int r;

	if (fstat(copy->source_fd, &st) < 0)
		return fail_errno(copy->ctx, errno, "cannot look at the top layer of container '%s'", copy->container);
	root->state.again = !live_state_is_of(&root->state, &st);
	r = live_queue_push(copy, &(struct live_task){ .kind = LIVE_DIRECTORY, .node = root });
	if (r < 0)
		return fail_memory(copy->ctx);
	if (live_queue_run(copy) < 0 || live_links_run(copy) < 0)
		return report(copy);
	return 0;
}

int live_copy_pass(struct live_copy *copy, bool last)
{
	int64_t lead = clock_lead();
	int r = 0;

	if (copy->failure < 0)
		return report(copy);
	copy->last = last;
	copy->counts.entries = copy->counts.last_pass = copy->counts.last_pass_bytes = 0;
	if (!last)
		r = make_clean(copy);
	if (r == 0)
		r = walk(copy);
	if (r == 0 && !last && clock_lead() < lead - LIVE_HOT_MARGIN_NS)
		r = fail(copy->ctx, -EAGAIN, "container '%s': the clock was set back while it was copied; try again",
			 copy->container);
	return r;
}

int live_copy_finish(struct live_copy *copy, int layer_fd)
{
	int r = remove_aside(copy);

	if (r == 0 && live_queue_push(copy, &(struct live_task){ .kind = LIVE_FINISH, .node = copy->root }) < 0)
		r = fail_memory(copy->ctx);
	if (r == 0 && live_queue_run(copy) < 0)
		r = report(copy);
	if (r == 0 && layer_fd >= 0)
		r = live_states_write(copy->ctx, copy->root, layer_fd);
	return r;
}
