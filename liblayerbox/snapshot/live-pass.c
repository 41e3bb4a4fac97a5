/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One directory of a pass: which names it has, and for each name whether what the target has is still what is there.
 * The tree may change at any moment but in the last pass: what is found is then found a second time, by the next pass.
 */
#include <fcntl.h>

#include "../util/array.h"
#include "../util/tree.h"
#include "live-private.h"

/* So many entries are worth a task of their own. */
enum { TASK_ENTRIES = 512 };

int live_fail(struct live_worker *worker, int error, const char *what, const struct live_node *node)
{
	struct live_copy *copy = worker->copy;
	char path[PATH_MAX];

	pthread_mutex_lock(&copy->mutex);
	if (copy->failure == 0) {
		copy->failure = error;
		copy->failed_what = what;
		copy->failed_path = strdup(live_node_path(node, path) ? path : node->name);
	}
	pthread_mutex_unlock(&copy->mutex);
	return error;
}

bool live_is_race(const struct live_copy *copy, int error)
{
	static const int errors[] = { ENOENT,  ENOTDIR, EISDIR, ELOOP,  EBUSY, ENXIO,
				      ENODATA, ERANGE,  ESTALE, EINVAL, EAGAIN };

	for (size_t i = 0; !copy->last && i < sizeof errors / sizeof *errors; i++)
		if (error == -errors[i])
			return true;
	return false;
}

static int push(struct live_worker *worker, const struct live_task *task)
{
	int r = live_queue_push(worker->copy, task);

	return r < 0 ? live_fail(worker, r, "copy", task->node) : 0;
}

/* ---- the names in a directory ---- */

/* @child NULL: a new one of that name. */
static int add_child(struct live_worker *worker, struct live_node *node, struct live_directory *merged,
		     struct live_node *child, const char *name)
{
	struct live_node **children = array_grow(merged->children, merged->count, &merged->capacity, sizeof *children);

	if (children)
		merged->children = children;
	if (children && !child)
		child = live_node_new(worker->copy, node, name);
	if (!children || !child)
		return live_fail(worker, -ENOMEM, "copy", node);
	merged->children[merged->count++] = child;
	return 0;
}

/* Both lists are sorted: what is in one of them only has come, or gone. */
static int merge_names(struct live_worker *worker, struct live_place *place, const struct text_list *names)
{
	struct live_directory *directory = place->node->directory;
	struct live_directory merged = { 0 };
	size_t old = 0, come = 0;
	int r = 0;

	while (r == 0 && (come < names->count || old < directory->count)) {
		struct live_node *child = old < directory->count ? directory->children[old] : NULL;
		int order = !child ? -1 : come == names->count ? 1 : strcmp(names->items[come], child->name);

		if (order > 0) {
			child->gone = true;
			r = live_entry_remove(worker, place, child);
		} else {
			r = add_child(worker, place->node, &merged, order == 0 ? child : NULL, names->items[come]);
			come++;
		}
		old += order >= 0;
	}
	if (r < 0) {
		free(merged.children);
		return r;
	}
	free(directory->children);
	directory->children = merged.children;
	directory->count = merged.count;
	directory->capacity = merged.capacity;
	return 0;
}

/* The state is that of before the names were read. */
static int list_directory(struct live_worker *worker, struct live_place *place)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	struct live_node *node = place->node;
	struct stat st;
	int r;

	node->state = (struct live_state){ .again = 1 };
	if (fstat(place->source_fd, &st) < 0)
		return live_fail(worker, -errno, "look at", node);
	r = live_directory_read(worker, node, place->source_fd, &st);
	if (r == 0)
		r = tree_list_names(place->source_fd, &names);
	if (r < 0)
		return live_is_race(worker->copy, r) ? 0 : live_fail(worker, r, "read", node);
	r = merge_names(worker, place, &names);
	if (r < 0)
		return r;
	node->state = live_state_of(&st);
	node->state.again = live_is_hot(worker->copy, &st);
	node->directory->listed = true;
	return 0;
}

/* ---- its entries ---- */

static int visit_directory(struct live_worker *worker, struct live_place *place, struct live_node *child, bool same)
{
	int r = 0;

	if (!child->directory)
		r = live_entry_make_directory(worker, place, child);
	if (r < 0)
		return r;
	child->state.again = !same;
	return push(worker, &(struct live_task){ .kind = LIVE_DIRECTORY, .node = child });
}

/* Where a directory was, what is below it goes at once: it is nothing that names could become links to any more. */
static int visit_file(struct live_worker *worker, struct live_place *place, struct live_node *child,
		      const struct stat *st)
{
	int r = child->directory ? live_entry_remove(worker, place, child) : 0;

	if (r < 0)
		return r;
	if (st->st_nlink > 1 && !live_is_whiteout(st->st_mode, st->st_rdev))
		return live_links_add(worker, child, st);
	return live_entry_make(worker, place, child, st, true);
}

static int visit(struct live_worker *worker, struct live_place *place, struct live_node *child)
{
	struct live_copy *copy = worker->copy;
	struct stat st;
	bool same;

	if (fstatat(place->source_fd, child->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		int r = -errno;

		return live_is_race(copy, r) ? live_entry_remove(worker, place, child)
					     : live_fail(worker, r, "look at", child);
	}
	if (st.st_dev != copy->device)
		return live_fail(worker, -EXDEV, "copy", child);
	worker->counts.entries++;
	same = child->made && live_state_is_of(&child->state, &st);
	if (S_ISDIR(st.st_mode))
		return visit_directory(worker, place, child, same);
	if (same)
		return 0;
	return visit_file(worker, place, child, &st);
}

static int visit_some(struct live_worker *worker, struct live_place *place, size_t first, size_t count)
{
	const struct live_directory *directory = place->node->directory;
	int r = 0;

	for (size_t i = first; r == 0 && i < directory->count && i - first < count; i++)
		r = visit(worker, place, directory->children[i]);
	return r;
}

/* ---- tasks ---- */

/* Another directory may have come in its place: then it is found again, by its name above. */
static int open_place(struct live_worker *worker, struct live_node *node, int flags, struct live_place *place)
{
	int r = live_place_open(worker, node, flags, place);

	if (r == 0)
		return 0;
	node->state.again = 1;
	return live_is_race(worker->copy, r) ? 1 : live_fail(worker, r, "open", node);
}

static int do_directory(struct live_worker *worker, struct live_node *node)
{
	CLEANUP_LIVE_PLACE struct live_place place = LIVE_PLACE_EMPTY;
	struct live_directory *directory = node->directory;
	bool list = node->state.again || !directory->listed;
	int r = open_place(worker, node, list ? O_RDONLY : O_PATH, &place);

	if (r != 0)
		return r < 0 ? r : 0;
	if (list)
		r = list_directory(worker, &place);
	for (size_t first = TASK_ENTRIES; r == 0 && first < directory->count; first += TASK_ENTRIES)
		r = push(worker, &(struct live_task){ LIVE_CHILDREN, node, first, TASK_ENTRIES });
	return r < 0 ? r : visit_some(worker, &place, 0, TASK_ENTRIES);
}

static int do_children(struct live_worker *worker, const struct live_task *task)
{
	CLEANUP_LIVE_PLACE struct live_place place = LIVE_PLACE_EMPTY;
	int r = live_place_open(worker, task->node, O_PATH, &place);

	if (r == 0)
		return visit_some(worker, &place, task->first, task->count);
	/* The directory's own state is not this task's to write; it is another one by the next pass, for it is gone. */
	return live_is_race(worker->copy, r) ? 0 : live_fail(worker, r, "open", task->node);
}

static int do_finish(struct live_worker *worker, struct live_node *node)
{
	int r = live_directory_finish(worker, node);

	for (size_t i = 0; r == 0 && i < node->directory->count; i++)
		if (node->directory->children[i]->directory)
			r = push(worker,
				 &(struct live_task){ .kind = LIVE_FINISH, .node = node->directory->children[i] });
	return r;
}

int live_pass_task(struct live_worker *worker, const struct live_task *task)
{
	switch (task->kind) {
	case LIVE_DIRECTORY:
		return do_directory(worker, task->node);
	case LIVE_CHILDREN:
		return do_children(worker, task);
	case LIVE_LINKS:
		return live_links_make(worker, task->first, task->count);
	case LIVE_FINISH:
		return do_finish(worker, task->node);
	}
	return -EINVAL;
}
