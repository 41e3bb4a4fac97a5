/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations are planned one after the other, while the top layer is still as it was: where they meet on one path, this
 * knows what will be there. A node is what is known of a path. What was known below a directory that was exchanged
 * since does not count any more; `change` says which came first.
 */
#include <fcntl.h>
#include <search.h>

#include "../util/tree.h"
#include "transaction-private.h"

struct plan_node {
	char *path;
	enum {
		ON_DISK,              /* a directory of the top layer */
		COMES,                /* new/NUMBER will be there */
		INSIDE,               /* a directory below one that comes */
		GOES,                 /* nothing will be there */
	} kind;
	bool directory;
	unsigned number;
	unsigned change;              /* when this became known */
	size_t line;                  /* of ON_DISK, in parents */
};

/* Where to look for what is not known: the top layer, or behind @skip bytes of the path in new/NUMBER. */
struct walk {
	bool prepared;
	unsigned number;
	size_t skip;
	unsigned since;               /* what was known before that change does not count */
	struct plan_node *parent;
};

/* ---- nodes ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct plan_node *)a)->path, ((const struct plan_node *)b)->path);
}

static struct plan_node *find_node(struct transaction *transaction, char *path, unsigned since)
{
	struct plan_node key = { .path = path };
	struct plan_node **found = tfind(&key, &transaction->nodes, compare);

	return found && (*found)->change >= since ? *found : NULL;
}

static void free_node(void *node)
{
	free(((struct plan_node *)node)->path);
	free(node);
}

/* A new one, or the one of that path, which says something new from now on. */
static struct plan_node *make_node(struct transaction *transaction, const char *path)
{
	struct plan_node *node = calloc(1, sizeof *node), **found;

	if (node)
		node->path = strdup(path);
	if (!node || !node->path) {
		free(node);
		return NULL;
	}
	found = tsearch(node, &transaction->nodes, compare);
	if (!found || *found != node)
		free_node(node);
	return found ? *found : NULL;
}

void plan_forget(struct transaction *transaction)
{
	tdestroy(transaction->nodes, free_node);
	transaction->nodes = NULL;
}

/* ---- looking ---- */

/* 0, -ENOENT, or another errno. Directories above were looked at before. */
static int look(const struct transaction *transaction, const struct walk *walk, const char *path, struct stat *ret_st)
{
	CLEANUP_FREE char *prepared = walk->prepared ? text_format("%u%s", walk->number, path + walk->skip) : NULL;
	CLEANUP_FD int fd = -1;

	if (walk->prepared && !prepared)
		return -ENOMEM;
	fd = walk->prepared ? tree_open_beneath(transaction->ws.new_fd, prepared, O_PATH)
			    : tree_open_beneath(transaction->ws.top_fd, path, O_PATH);
	if (fd < 0)
		return fd;
	return fstat(fd, ret_st) < 0 ? -errno : 0;
}

/*
 * A directory of the top layer, noted as it is now: its times change with its entries, and it could be gone when one
 * undoes.
 */
static int note_directory(struct transaction *transaction, const struct walk *walk, const char *path,
			  const struct stat *st, struct plan_node **ret_node)
{
	struct plan_node *node = make_node(transaction, path);
	int line = 0;

	if (node && !walk->prepared)
		line = journal_add(&transaction->parents, JOURNAL_ANCESTOR, 0, st, NULL, path);
	if (!node || line < 0)
		return fail_memory(transaction->ws.ctx);
	node->kind = walk->prepared ? INSIDE : ON_DISK;
	node->directory = true;
	node->change = transaction->change;
	node->line = (size_t)line;
	*ret_node = node;
	return 0;
}

static int make_missing(struct transaction *transaction, const struct walk *walk, char *path, bool make)
{
	struct place place = { .parent = walk->parent };

	if (!make)
		return workspace_fail(&transaction->ws, ENOENT, "find", path);
	return put_directory(transaction, path, &place);
}

/* One step down: @path is a directory, whatever it takes. */
static int enter(struct transaction *transaction, struct walk *walk, char *path, bool make)
{
	struct plan_node *node = find_node(transaction, path, walk->since);
	struct stat st;
	int r = 0;

	if (!node) {
		r = look(transaction, walk, path, &st);
		if (r == 0 && !S_ISDIR(st.st_mode))
			return workspace_fail(&transaction->ws, ENOTDIR, "go into", path);
		if (r == 0)
			r = note_directory(transaction, walk, path, &st, &node);
		else if (r != -ENOENT)
			return workspace_fail(&transaction->ws, r, "open", path);
	}
	if (!node || node->kind == GOES) {
		r = make_missing(transaction, walk, path, make);
		node = r < 0 ? NULL : find_node(transaction, path, walk->since);
	}
	if (!node)
		return r;
	if (!node->directory)
		return workspace_fail(&transaction->ws, ENOTDIR, "go into", path);
	if (node->kind == COMES)
		*walk = (struct walk){
			.prepared = true, .number = node->number, .skip = strlen(path), .since = node->change
		};
	walk->parent = node;
	return 0;
}

static int enter_all(struct transaction *transaction, struct walk *walk, char *path, bool make)
{
	struct stat st;
	int r = 0;

	walk->parent = find_node(transaction, (char[]){ "." }, 0);
	if (!walk->parent) {
		if (fstat(transaction->ws.top_fd, &st) < 0)
			return workspace_fail(&transaction->ws, errno, "open", ".");
		r = note_directory(transaction, walk, ".", &st, &walk->parent);
	}
	for (char *slash = strchr(path, '/'); r == 0 && slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = enter(transaction, walk, path, make);
		*slash = '/';
	}
	return r;
}

static int find_last(struct transaction *transaction, const struct walk *walk, char *path, struct place *ret_place)
{
	struct plan_node *node = find_node(transaction, path, walk->since);
	struct walk inside = *walk;
	int r;

	if (node && node->kind == COMES)
		inside = (struct walk){ .prepared = true, .number = node->number, .skip = strlen(path) };
	r = node && node->kind == GOES ? -ENOENT : look(transaction, &inside, path, &ret_place->st);
	if (r < 0 && r != -ENOENT)
		return workspace_fail(&transaction->ws, r, "look at", path);
	ret_place->exists = r == 0;
	ret_place->on_disk = r == 0 && !inside.prepared;
	ret_place->parent = walk->parent;
	return 0;
}

int plan_find(struct transaction *transaction, const char *path, bool make, struct place *ret_place)
{
	CLEANUP_FREE char *copy = strdup(path);
	struct walk walk = { 0 };
	int r;

	if (!copy)
		return fail_memory(transaction->ws.ctx);
	if (!journal_is_path(path))
		return workspace_fail(&transaction->ws, EINVAL, "use the path", path);
	r = enter_all(transaction, &walk, copy, make);
	return r < 0 ? r : find_last(transaction, &walk, copy, ret_place);
}

int plan_change(struct transaction *transaction, const char *path, const struct place *place, unsigned number,
		const struct stat *st)
{
	struct plan_node *node = make_node(transaction, path);

	if (!node)
		return fail_memory(transaction->ws.ctx);
	node->kind = st ? COMES : GOES;
	node->directory = st && S_ISDIR(st->st_mode);
	node->number = number;
	node->change = ++transaction->change;
	if (place->parent->kind == ON_DISK)
		transaction->parents.lines[place->parent->line].verb = JOURNAL_PARENT;
	return 0;
}
