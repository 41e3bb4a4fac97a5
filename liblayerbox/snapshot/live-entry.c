/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>

#include "../util/tree-copy.h"
#include "../util/tree.h"
#include "live-private.h"

/* ---- open directories ---- */

int live_place_open(struct live_worker *worker, struct live_node *node, int flags, struct live_place *ret_place)
{
	int fd;

	if (!live_node_path(node, worker->path))
		return -ENAMETOOLONG;
	fd = tree_open_beneath(worker->copy->source_fd, worker->path, flags | O_DIRECTORY);
	if (fd < 0)
		return fd;
	ret_place->node = node;
	ret_place->source_fd = fd;
	return 0;
}

int live_place_open_target(struct live_worker *worker, struct live_place *place)
{
	if (place->target_fd >= 0)
		return 0;
	if (!live_node_path(place->node, worker->path))
		return live_fail(worker, -ENAMETOOLONG, "copy", place->node);
	place->target_fd = tree_open_beneath(worker->copy->target_fd, worker->path, O_PATH | O_DIRECTORY);
	if (place->target_fd < 0)
		return live_fail(worker, place->target_fd, "open the copy of", place->node);
	return 0;
}

void live_place_close(struct live_place *place)
{
	close_fd(take_fd(&place->source_fd));
	close_fd(take_fd(&place->target_fd));
	close_fd(take_fd(&place->previous_fd));
}

/* The place in the previous layer, negative where there is none. */
static int open_previous(struct live_worker *worker, struct live_place *place)
{
	if (place->previous_fd >= 0 || place->no_previous)
		return place->previous_fd;
	if (live_node_path(place->node, worker->path))
		place->previous_fd = tree_open_beneath(worker->copy->previous_fd, worker->path, O_PATH | O_DIRECTORY);
	place->no_previous = place->previous_fd < 0;
	return place->previous_fd;
}

/* ---- what goes ---- */

/* In the last pass nothing is deleted, which takes long for what is large, but put aside. */
static int take_away(struct live_copy *copy, int dir_fd, const char *name)
{
	char aside[24];

	if (!copy->last)
		return tree_remove(dir_fd, name);
	snprintf(aside, sizeof aside, "%llu", atomic_fetch_add(&copy->aside_count, 1));
	return renameat(dir_fd, name, copy->aside_fd, aside) < 0 && errno != ENOENT ? -errno : 0;
}

int live_entry_remove(struct live_worker *worker, struct live_place *place, struct live_node *node)
{
	int r;

	/* What was below it may be what other names are links to. */
	for (size_t i = 0; node->directory && i < node->directory->count; i++)
		node->directory->children[i]->gone = true;
	node->directory = NULL;
	node->state = (struct live_state){ .again = 1 };
	if (!node->made)
		return 0;
	r = live_place_open_target(worker, place);
	if (r < 0)
		return r;
	r = take_away(worker->copy, place->target_fd, node->name);
	if (r < 0)
		return live_fail(worker, r, "take away the copy of", node);
	node->made = false;
	worker->counts.last_pass += worker->copy->last;
	return 0;
}

/* ---- what comes ---- */

/* One whiteout for all, as overlayfs has it, while it takes more links. */
static int make_whiteout(const struct live_copy *copy, int dir_fd, const char *name)
{
	if (linkat(copy->aside_fd, "whiteout", dir_fd, name, 0) == 0)
		return 0;
	return mknodat(dir_fd, name, S_IFCHR, 0) < 0 ? -errno : 0;
}

static bool link_previous(struct live_worker *worker, struct live_place *place, const struct live_node *node,
			  const struct stat *st)
{
	struct live_copy *copy = worker->copy;
	uint32_t directory = copy->previous ? place->node->directory->previous : LIVE_NONE;
	const struct live_state *state;

	if (directory == LIVE_NONE)
		return false;
	state = live_states_get(copy->previous, live_states_find(copy->previous, directory, node->name));
	return state && live_state_is_of(state, st) && open_previous(worker, place) >= 0 &&
	       linkat(place->previous_fd, node->name, place->target_fd, node->name, 0) == 0;
}

static void count_copy(struct live_worker *worker, const struct stat *st)
{
	uint64_t allocated = (uint64_t)st->st_blocks * 512, size = (uint64_t)st->st_size;

	worker->counts.copied++;
	if (!worker->copy->last)
		return;
	worker->counts.last_pass++;
	if (S_ISREG(st->st_mode))
		worker->counts.last_pass_bytes += size < allocated ? size : allocated;
}

int live_entry_make(struct live_worker *worker, struct live_place *place, struct live_node *node, const struct stat *st,
		    bool link)
{
	struct live_copy *copy = worker->copy;
	struct live_state state = live_state_of(st);
	int r = live_entry_remove(worker, place, node);

	if (r == 0)
		r = live_place_open_target(worker, place);
	if (r < 0)
		return r;
	node->made = true; /* a failure may leave a part of it */
	if (live_is_whiteout(st->st_mode, st->st_rdev)) {
		r = make_whiteout(copy, place->target_fd, node->name);
		count_copy(worker, st);
	} else if (link && link_previous(worker, place, node, st)) {
		worker->counts.linked++;
		worker->counts.last_pass += copy->last;
	} else {
		state.again = live_file_is_hot(copy, place->source_fd, node->name, st);
		r = tree_copy_entry_lazily(place->source_fd, node->name, place->target_fd, node->name, st);
		count_copy(worker, st);
	}
	if (r == 0)
		node->state = state;
	return r == 0 || live_is_race(copy, r) ? 0 : live_fail(worker, r, "copy", node);
}

int live_entry_make_directory(struct live_worker *worker, struct live_place *place, struct live_node *node)
{
	struct live_copy *copy = worker->copy;
	const struct live_directory *above = place->node->directory;
	int r = live_entry_remove(worker, place, node);

	if (r == 0)
		r = live_place_open_target(worker, place);
	if (r < 0)
		return r;
	node->directory = live_directory_new(copy);
	if (!node->directory)
		return live_fail(worker, -ENOMEM, "copy", node);
	if (mkdirat(place->target_fd, node->name, 0700) < 0)
		return live_fail(worker, -errno, "copy", node);
	node->made = true;
	worker->counts.copied++;
	worker->counts.last_pass += copy->last;
	if (copy->previous && above->previous != LIVE_NONE)
		node->directory->previous = live_states_find(copy->previous, above->previous, node->name);
	return 0;
}
