/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Both stacks are walked side by side, by directories that are opened by their path, so that depth costs neither stack
 * nor descriptors. A directory which on both sides consists of the same trees' parts is the same with all that is in
 * it, and is not entered: so of a base with thousands of files only directories are listed in which a layer has
 * something.
 */
#include "compare.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "../base/manifest-difference.h"
#include "../base/manifest-entry.h"
#include "../util/array.h"
#include "stacked.h"

enum { BEFORE, AFTER, SIDES };

/*
 * Something still to be done: a difference to be told, or a directory (its path has a slash behind it) to be entered.
 */
struct task {
	char *path;                   /* relative */
	tree_set parts[SIDES];
	char *texts[SIDES];
};

struct tasks {
	struct task *items;
	size_t count, capacity;
};

struct comparison {
	struct lb_context *ctx;
	const struct compare_side *sides[SIDES];
	struct stat roots[SIDES][CHAIN_MAX + 2];
	struct manifest_reader reader;
	struct tasks tasks;           /* the last one is the next one */
	lb_difference_fn fn;
	void *userdata;
	size_t count;
};

static void task_free(struct task *task)
{
	free(task->path);
	free(task->texts[BEFORE]);
	free(task->texts[AFTER]);
}

static void tasks_free(struct tasks *tasks)
{
	while (tasks->count > 0)
		task_free(&tasks->items[--tasks->count]);
	free(tasks->items);
}

/* Takes what the task owns, in every case. */
static int tasks_add(struct tasks *tasks, struct task task)
{
	struct task *items = task.path ? array_grow(tasks->items, tasks->count, &tasks->capacity, sizeof *items) : NULL;

	if (!items) {
		task_free(&task);
		return -ENOMEM;
	}
	tasks->items = items;
	items[tasks->count++] = task;
	return 0;
}

static int fail_path(struct comparison *comparison, int error, const char *path)
{
	CLEANUP_FREE char *shown = strdup(path);

	if (!shown || error == -ENOMEM)
		return fail_memory(comparison->ctx);
	return fail_errno(comparison->ctx, error, "cannot compare /%.1000s of %s and of %s", text_printable(shown),
			  comparison->sides[BEFORE]->what, comparison->sides[AFTER]->what);
}

/* ---- one entry ---- */

/* What both have of a name. */
struct pair {
	struct stacked_entry found[SIDES];
	struct manifest_entry entries[SIDES]; /* without path; filled where it is there */
};

static void pair_free(struct pair *pair)
{
	manifest_entry_free(&pair->entries[BEFORE]);
	manifest_entry_free(&pair->entries[AFTER]);
}

/* A container that runs takes things away while they are looked at. */
static bool is_gone(int r)
{
	return r == -ENOENT || r == -ENODATA || r == -EINVAL || r == -ELOOP || r == -ESTALE;
}

static int read_attributes(struct comparison *comparison, struct pair *pair, int side)
{
	struct stacked_entry *found = &pair->found[side];
	struct manifest_entry *entry = &pair->entries[side];
	int r;

	if (!found->entry.there)
		return 0;
	r = manifest_entry_read(&comparison->reader, found->entry.dir_fd, found->entry.name, &found->entry.st, entry);
	if (!is_gone(r))
		return r;
	manifest_entry_free(entry);
	found->entry.there = false;
	found->parts = 0;
	return 0;
}

/* Is @copy what was copied from @original, as that still is? Then it need not be read. */
static bool is_live_copy(const struct compare_side *side, const struct stacked_entry *copy,
			 const struct stacked_entry *original, const char *path)
{
	return side->states && copy->tree == 0 && original->tree == 0 &&
	       live_states_same(side->states, path, original->entry.dir_fd, original->entry.name);
}

static int digest_of(const struct entry *entry, uint8_t digest[DIGEST_SHA256_BYTES])
{
	CLEANUP_FD int fd = entry_open(entry);

	return fd < 0 ? fd : digest_sha256_fd(fd, digest);
}

/* Of two files of one size: gives them their checksums where they are not the same. */
static int compare_content(struct comparison *comparison, struct pair *pair, const char *path)
{
	const struct stacked_entry *before = &pair->found[BEFORE], *after = &pair->found[AFTER];
	int r;

	if (is_live_copy(comparison->sides[BEFORE], before, after, path) ||
	    is_live_copy(comparison->sides[AFTER], after, before, path))
		return 0;
	r = entry_same_content(&before->entry, &after->entry);
	if (r)
		return r < 0 ? r : 0;
	r = digest_of(&before->entry, pair->entries[BEFORE].sha256);
	return r < 0 ? r : digest_of(&after->entry, pair->entries[AFTER].sha256);
}

static int compare_pair(struct comparison *comparison, struct pair *pair, const char *path)
{
	const struct manifest_entry *before = &pair->entries[BEFORE], *after = &pair->entries[AFTER];
	int r = read_attributes(comparison, pair, BEFORE);

	if (r == 0)
		r = read_attributes(comparison, pair, AFTER);
	if (r == 0 && before->type == 'f' && after->type == 'f' && before->size == after->size && before->size > 0)
		r = compare_content(comparison, pair, path);
	return is_gone(r) ? 0 : r;
}

static bool same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* Adds what is to be told of them to @tasks, if anything is. */
static int add_difference(struct comparison *comparison, struct pair *pair, const char *path, struct tasks *tasks)
{
	const struct entry *before = &pair->found[BEFORE].entry, *after = &pair->found[AFTER].entry;
	struct task task = { 0 };
	int r;

	if ((!before->there && !after->there) || (before->there && after->there && same_inode(&before->st, &after->st)))
		return 0;
	r = compare_pair(comparison, pair, path);
	if (r < 0)
		return fail_path(comparison, r, path);
	if (before->there == after->there &&
	    (!before->there || manifest_entry_equal(&pair->entries[BEFORE], &pair->entries[AFTER])))
		return 0;
	task.path = strdup(path);
	for (int side = BEFORE; side < SIDES; side++) {
		if (!pair->found[side].entry.there)
			continue;
		task.texts[side] = manifest_describe(&pair->entries[side],
						     pair->found[!side].entry.there ? &pair->entries[!side] : NULL);
		if (!task.texts[side]) {
			task_free(&task);
			return fail_memory(comparison->ctx);
		}
	}
	return tasks_add(tasks, task) < 0 ? fail_memory(comparison->ctx) : 0;
}

/* ---- directories ---- */

static const struct stat *next_root(const struct comparison *comparison, int side, tree_set *parts)
{
	int i = __builtin_ctz(*parts);

	*parts &= *parts - 1;
	return &comparison->roots[side][i];
}

/* Are they the same trees, in the same order? */
static bool same_parts(const struct comparison *comparison, tree_set before, tree_set after)
{
	while (before && after)
		if (!same_inode(next_root(comparison, BEFORE, &before), next_root(comparison, AFTER, &after)))
			return false;
	return before == after;
}

/* What is in a directory has a place of its own among the names beside it: behind "a" and "a-b" comes "a/". */
static int add_directory(struct comparison *comparison, const struct pair *pair, const char *path, struct tasks *tasks)
{
	tree_set before = pair->found[BEFORE].parts, after = pair->found[AFTER].parts;
	struct task task = { .parts = { before, after } };

	if (same_parts(comparison, before, after))
		return 0;
	task.path = text_format("%s/", path);
	return tasks_add(tasks, task) < 0 ? fail_memory(comparison->ctx) : 0;
}

static int compare_name(struct comparison *comparison, const struct stacked_directory directories[SIDES],
			const char *path, const char *name, struct tasks *tasks)
{
	CLEANUP(pair_free) struct pair pair = { 0 };
	int r = stacked_look(&directories[BEFORE], name, &pair.found[BEFORE]);

	if (r == 0)
		r = stacked_look(&directories[AFTER], name, &pair.found[AFTER]);
	if (r < 0)
		return fail_path(comparison, r, path);
	r = add_difference(comparison, &pair, path, tasks);
	return r < 0 ? r : add_directory(comparison, &pair, path, tasks);
}

static int compare_names(struct comparison *comparison, const struct stacked_directory directories[SIDES],
			 const char *path, struct tasks *tasks)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int r = stacked_list(&directories[BEFORE], &names);

	if (r == 0)
		r = stacked_list(&directories[AFTER], &names);
	if (r < 0)
		return fail_path(comparison, r, path);
	text_list_sort(&names);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		CLEANUP_FREE char *below = text_format("%s%s", path, names.items[i]);

		if (!below)
			return fail_memory(comparison->ctx);
		if (i == 0 || !text_equal(names.items[i], names.items[i - 1]))
			r = compare_name(comparison, directories, below, names.items[i], tasks);
	}
	return r;
}

static int compare_tasks(const void *a, const void *b)
{
	return strcmp(((const struct task *)b)->path, ((const struct task *)a)->path);
}

static void close_both(struct stacked_directory (*directories)[SIDES])
{
	stacked_close(&(*directories)[BEFORE]);
	stacked_close(&(*directories)[AFTER]);
}

/* Finds what is to be done for a directory, and puts it on top of the tasks, so that the first comes next. */
static int enter(struct comparison *comparison, const struct task *task)
{
	CLEANUP(close_both) struct stacked_directory directories[SIDES] = { { 0 }, { 0 } };
	CLEANUP(tasks_free) struct tasks found = { 0 };
	int r = 0;

	for (int side = BEFORE; r == 0 && side < SIDES; side++)
		r = stacked_open(comparison->sides[side]->trees, task->path, task->parts[side], &directories[side]);
	if (r == -ENAMETOOLONG) {
		log_message(comparison->ctx, LB_LOG_WARNING,
			    "directories of %s or %s are deeper than a path can say; what is in them was not compared",
			    comparison->sides[BEFORE]->what, comparison->sides[AFTER]->what);
		return 0;
	}
	if (r < 0)
		return fail_path(comparison, r, task->path);
	r = compare_names(comparison, directories, task->path, &found);
	if (r < 0)
		return r;
	if (found.count > 1)
		qsort(found.items, found.count, sizeof *found.items, compare_tasks);
	for (size_t i = 0; r == 0 && i < found.count; i++) {
		r = tasks_add(&comparison->tasks, found.items[i]);
		found.items[i] = (struct task){ 0 };
	}
	return r < 0 ? fail_memory(comparison->ctx) : 0;
}

/* ---- all of it ---- */

static int tell(struct comparison *comparison, const struct task *task)
{
	CLEANUP_FREE char *path = text_format("/%s", task->path);
	struct lb_difference difference = {
		.size = sizeof difference,
		.path = path,
		.before = task->texts[BEFORE],
		.after = task->texts[AFTER],
	};

	if (!path)
		return fail_memory(comparison->ctx);
	if (comparison->fn)
		comparison->fn(&difference, comparison->userdata);
	comparison->count++;
	return 0;
}

/* The roots: their own attributes, and all that is in them. */
static int begin(struct comparison *comparison)
{
	CLEANUP(pair_free) struct pair pair = { 0 };
	struct task task = { .path = strdup("") };
	int r = 0;

	for (int side = BEFORE; side < SIDES; side++) {
		const struct chain_trees *trees = comparison->sides[side]->trees;

		for (size_t i = 0; i < trees->count; i++)
			if (fstat(trees->fds[i], &comparison->roots[side][i]) < 0)
				r = -errno;
		if (r == 0)
			r = entry_look(trees->fds[0], ".", &pair.found[side].entry);
		task.parts[side] = stacked_all(trees);
	}
	if (tasks_add(&comparison->tasks, task) < 0)
		return fail_memory(comparison->ctx);
	if (r < 0)
		return fail_path(comparison, r, "");
	return add_difference(comparison, &pair, "", &comparison->tasks);
}

static int work(struct comparison *comparison)
{
	int r = begin(comparison);

	while (r == 0 && comparison->tasks.count > 0) {
		CLEANUP(task_free) struct task task = comparison->tasks.items[--comparison->tasks.count];

		if (task.texts[BEFORE] || task.texts[AFTER])
			r = tell(comparison, &task);
		else if (!same_parts(comparison, task.parts[BEFORE], task.parts[AFTER]))
			r = enter(comparison, &task);
	}
	return r;
}

int stacks_compare(struct lb_context *ctx, const struct compare_side *before, const struct compare_side *after,
		   lb_difference_fn fn, void *userdata, size_t *ret_count)
{
	struct comparison comparison = { .ctx = ctx, .sides = { before, after }, .fn = fn, .userdata = userdata };
	int r = manifest_reader_begin(&comparison.reader) == 0 ? work(&comparison) : fail_memory(ctx);

	manifest_reader_end(&comparison.reader);
	tasks_free(&comparison.tasks);
	if (r < 0)
		return r;
	*ret_count = comparison.count;
	return 0;
}
