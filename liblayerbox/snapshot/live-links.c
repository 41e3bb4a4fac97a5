/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files with several names. All names of an inode that want a copy are done by one task, one after the other: the first
 * gets it, or is found to have it, and the others become links to that.
 */
#include <fcntl.h>

#include "../util/array.h"
#include "live-private.h"

enum { TASK_LINKS = 64, TABLE_ROOM = 256 };

/* ---- gathering ---- */

int live_links_add(struct live_worker *worker, struct live_node *node, const struct stat *st)
{
	struct live_copy *copy = worker->copy;
	struct live_link *items;

	node->state.again = 1;
	node->several = true;
	pthread_mutex_lock(&copy->mutex);
	items = array_grow(copy->links.items, copy->links.count, &copy->links.capacity, sizeof *items);
	if (items) {
		copy->links.items = items;
		items[copy->links.count++] = (struct live_link){
			.inode = st->st_ino,
			.names = st->st_nlink,
			.node = node,
		};
	}
	pthread_mutex_unlock(&copy->mutex);
	return items ? 0 : live_fail(worker, -ENOMEM, "copy", node);
}

/* ---- where copies are: a table with open addresses, its capacity a power of two ---- */

static struct live_link *slot_of(const struct live_links *table, uint64_t inode)
{
	size_t at = (size_t)(inode * 0x9e3779b97f4a7c15ULL >> 20);

	while (table->items[at & (table->capacity - 1)].node && table->items[at & (table->capacity - 1)].inode != inode)
		at++;
	return &table->items[at & (table->capacity - 1)];
}

static int table_grow(struct live_links *table)
{
	struct live_links larger = { .count = table->count };

	if (table->count * 2 < table->capacity)
		return 0;
	larger.capacity = table->capacity ? table->capacity * 2 : TABLE_ROOM;
	larger.items = calloc(larger.capacity, sizeof *larger.items);
	if (!larger.items)
		return -ENOMEM;
	for (size_t i = 0; i < table->capacity; i++)
		if (table->items[i].node)
			*slot_of(&larger, table->items[i].inode) = table->items[i];
	free(table->items);
	*table = larger;
	return 0;
}

static int table_put(struct live_links *table, uint64_t inode, struct live_node *node)
{
	struct live_link *slot;

	if (table_grow(table) < 0)
		return -ENOMEM;
	slot = slot_of(table, inode);
	table->count += !slot->node;
	*slot = (struct live_link){ .inode = inode, .node = node };
	return 0;
}

/* Does the copy that it has stay as it is in this pass? */
static bool stays(const struct live_node *node)
{
	return node->several && node->made && node->state.inode && !node->state.again && live_node_is_there(node);
}

/* Where a name is gone, with the directory it was in, another one may be left. */
static int table_renew(struct live_copy *copy)
{
	int r = 0;

	for (const struct live_directory *directory = copy->directories; directory; directory = directory->next)
		for (size_t i = 0; r == 0 && i < directory->count; i++)
			if (stays(directory->children[i]))
				r = table_put(&copy->inodes, directory->children[i]->state.inode,
					      directory->children[i]);
	return r;
}

/* A name that stays as it is, of the inode of which @count names do not; NULL: none. */
static struct live_node *find_base(struct live_copy *copy, const struct live_link *link, size_t count, bool *renewed)
{
	struct live_node *node;

	if (count >= link->names || copy->inodes.capacity == 0)
		return NULL;
	node = slot_of(&copy->inodes, link->inode)->node;
	if (!node || (stays(node) && node->state.inode == link->inode))
		return node;
	if (*renewed || table_renew(copy) < 0)
		return NULL;
	*renewed = true;
	return find_base(copy, link, count, renewed);
}

/* ---- all names of an inode ---- */

struct group {
	struct live_node *base;       /* which has the copy; NULL: none has yet */
	int base_fd;                  /* its directory in the target */
	bool made;                    /* by this task */
	bool linked;                  /* to the previous layer's */
	bool fresh;                   /* neither that nor an older copy has room for all links */
};

static int open_base(struct live_worker *worker, struct group *group)
{
	struct live_place place = LIVE_PLACE_EMPTY;
	int r;

	if (group->base_fd >= 0)
		return 0;
	place.node = group->base->parent;
	r = live_place_open_target(worker, &place);
	group->base_fd = place.target_fd;
	return r;
}

static int make_base(struct live_worker *worker, struct live_place *place, struct live_node *node,
		     const struct stat *st, struct group *group)
{
	uint64_t linked = worker->counts.linked;
	int r = live_entry_make(worker, place, node, st, !group->fresh);

	if (r < 0 || node->state.inode == 0)
		return r;
	group->base = node;
	group->made = true;
	group->linked = worker->counts.linked > linked;
	return 0;
}

/*
 * The state is that of the copy, taken before it was made: if the file has changed since, that shows in the next pass.
 * 1 where the copy takes no more links.
 */
static int make_link(struct live_worker *worker, struct live_place *place, struct live_node *node, struct group *group)
{
	int r = live_entry_remove(worker, place, node);

	if (r == 0)
		r = live_place_open_target(worker, place);
	if (r == 0)
		r = open_base(worker, group);
	if (r < 0)
		return r;
	if (linkat(group->base_fd, group->base->name, place->target_fd, node->name, 0) < 0)
		return errno == EMLINK && !group->fresh ? 1 : live_fail(worker, -errno, "make a link", node);
	node->made = true;
	node->state = group->base->state;
	*(group->linked ? &worker->counts.linked : &worker->counts.copied) += 1;
	worker->counts.last_pass += worker->copy->last;
	return 0;
}

static int make_name(struct live_worker *worker, struct live_place *place, const struct live_link *link,
		     struct group *group)
{
	struct live_copy *copy = worker->copy;
	struct live_node *node = link->node;
	struct stat st;
	int r = fstatat(place->source_fd, node->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;

	if (r == 0 && (st.st_ino != link->inode || S_ISDIR(st.st_mode)))
		r = -ESTALE;
	if (r < 0)
		return live_is_race(copy, r) ? 0 : live_fail(worker, r, "look at", node);
	if (group->base && !group->made && !live_state_is_of(&group->base->state, &st))
		group->base = NULL;
	return group->base ? make_link(worker, place, node, group) : make_base(worker, place, node, &st, group);
}

static int make_names(struct live_worker *worker, const struct live_link *links, size_t count, struct group *group)
{
	struct live_place place = LIVE_PLACE_EMPTY;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct live_node *parent = links[i].node->parent;

		if (place.node != parent) {
			live_place_close(&place);
			place = (struct live_place)LIVE_PLACE_EMPTY;
			r = live_place_open(worker, parent, O_PATH, &place);
		}
		if (r == 0)
			r = make_name(worker, &place, &links[i], group);
		else
			r = live_is_race(worker->copy, r) ? 0 : live_fail(worker, r, "open", parent);
	}
	live_place_close(&place);
	return r;
}

static int make_group(struct live_worker *worker, const struct live_link *links, size_t count)
{
	struct group group = { .base = links[0].base, .base_fd = -1 };
	int r = make_names(worker, links, count, &group);

	close_fd(group.base_fd);
	if (r <= 0)
		return r;
	group = (struct group){ .base_fd = -1, .fresh = true };
	r = make_names(worker, links, count, &group);
	close_fd(group.base_fd);
	return r;
}

/* ---- tasks ---- */

static size_t group_end(const struct live_links *links, size_t first)
{
	size_t end = first + 1;

	while (end < links->count && links->items[end].inode == links->items[first].inode)
		end++;
	return end;
}

int live_links_make(struct live_worker *worker, size_t first, size_t count)
{
	const struct live_links *links = &worker->copy->links;
	int r = 0;

	for (size_t i = first, end; r == 0 && i < first + count; i = end) {
		end = group_end(links, i);
		r = make_group(worker, &links->items[i], end - i);
	}
	return r;
}

static int compare_links(const void *a, const void *b)
{
	const struct live_link *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x->node->parent < y->node->parent ? -1 : x->node->parent > y->node->parent;
}

/* What was found while nothing moves is what no task will touch: it is in no group. */
static int queue_all(struct live_copy *copy)
{
	struct live_links *links = &copy->links;
	bool renewed = false;
	size_t first = 0;
	int r = 0;

	for (size_t i = 0, end; r == 0 && i < links->count; i = end) {
		end = group_end(links, i);
		links->items[i].base = find_base(copy, &links->items[i], end - i, &renewed);
		if (end - first < TASK_LINKS && end < links->count)
			continue;
		r = live_queue_push(copy, &(struct live_task){ LIVE_LINKS, copy->root, first, end - first });
		first = end;
	}
	return r;
}

static int note_copies(struct live_copy *copy)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < copy->links.count; i++) {
		const struct live_link *link = &copy->links.items[i];

		if (link->node->made && link->node->state.inode == link->inode)
			r = table_put(&copy->inodes, link->inode, link->node);
	}
	copy->links.count = 0;
	return r;
}

int live_links_run(struct live_copy *copy)
{
	int r;

	if (copy->links.count == 0)
		return 0;
	qsort(copy->links.items, copy->links.count, sizeof *copy->links.items, compare_links);
	r = queue_all(copy);
	if (r == 0)
		r = live_queue_run(copy);
	if (r == 0)
		r = note_copies(copy);
	if (r == -ENOMEM && copy->failure == 0)
		copy->failure = r;
	return r;
}
