/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ownership.h"

#include <stdio.h>

#include "../util/array.h"
#include "journal.h"

#define INFO "var/lib/dpkg/info/"

/*
 * Lists are the container's own, and can be hard links to one that is long: a system with all of Debian's desktops has
 * less.
 */
enum { LIST_BYTES_MAX = 16 << 20, ALL_BYTES_MAX = 256 << 20, PATHS_MAX = 4 << 20, MD5_HEX = 32 };

/* ---- paths as lists have them, and as they are ---- */

/* Debian's lists say /bin/ls; since the merge of /usr that is a link to usr/bin, which no layer has a directory for. */
static int load_aliases(int base_fd, struct ownership *ownership)
{
	static const char *const names[] = { "bin", "sbin", "lib", "lib32", "lib64", "libx32" };
	size_t count = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char target[64];
		ssize_t n = readlinkat(base_fd, names[i], target, sizeof target - 1);

		if (n <= 0)
			continue;
		target[n] = '\0';
		if (!text_after(target, "usr/") || strstr(target, ".."))
			continue;
		ownership->aliases[count] = text_format("%s=%s", names[i], target);
		if (!ownership->aliases[count++])
			return -ENOMEM;
	}
	return 0;
}

const char *ownership_resolve(const struct ownership *ownership, const char *path, char buffer[OWNERSHIP_PATH_SIZE])
{
	while (*path == '/')
		path++;
	if (!*path || text_equal(path, "."))
		return NULL;
	for (size_t i = 0; ownership->aliases[i]; i++) {
		size_t n = strcspn(ownership->aliases[i], "=");

		if (strncmp(path, ownership->aliases[i], n) != 0 || path[n] != '/')
			continue;
		return snprintf(buffer, OWNERSHIP_PATH_SIZE, "%s%s", ownership->aliases[i] + n + 1, path + n) <
				       OWNERSHIP_PATH_SIZE
			       ? buffer
			       : NULL;
	}
	return path;
}

/* ---- loading ---- */

enum source { SOURCE_OLD, SOURCE_NEW, SOURCE_OWN };

static int add(struct ownership *ownership, const char *path, const struct package_decision *package,
	       enum source source, const char *md5)
{
	char buffer[OWNERSHIP_PATH_SIZE];
	const char *place = ownership_resolve(ownership, path, buffer);
	struct owned_path *paths, *owned;

	if (!place || !journal_is_path(place))
		return 0;
	if (ownership->count == PATHS_MAX)
		return -E2BIG;
	paths = array_grow(ownership->paths, ownership->count, &ownership->capacity, sizeof *paths);
	if (!paths)
		return -ENOMEM;
	ownership->paths = paths;
	owned = &ownership->paths[ownership->count];
	*owned = (struct owned_path){ .path = strdup(place), .package = package };
	if (!owned->path)
		return -ENOMEM;
	owned->in_old = source == SOURCE_OLD;
	owned->in_new = source == SOURCE_NEW;
	owned->in_own = source == SOURCE_OWN && !md5;
	if (md5)
		text_copy(owned->md5, sizeof owned->md5, md5);
	ownership->count++;
	return 0;
}

/* A line's path is a directory where the next line is below it: dpkg writes them in that order. */
static bool is_directory(const char *path, const char *next)
{
	size_t n = strlen(path);

	return strncmp(path, next, n) == 0 && next[n] == '/';
}

static int add_list(struct ownership *ownership, char *text, const struct package_decision *package, enum source source)
{
	char *next;
	int r = 0;

	for (char *line = text; r == 0 && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (*line == '/' && !is_directory(line, next))
			r = add(ownership, line, package, source, NULL);
	}
	return r;
}

/* md5sums: 32 digits, two spaces, a path without a slash in front. */
static int add_sums(struct ownership *ownership, char *text, const struct package_decision *package)
{
	char *next;
	int r = 0;

	for (char *line = text; r == 0 && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (strspn(line, "0123456789abcdef") != MD5_HEX || line[MD5_HEX] != ' ')
			continue;
		line[MD5_HEX] = '\0';
		r = add(ownership, line + MD5_HEX + 1 + strspn(line + MD5_HEX + 1, " "), package, SOURCE_OWN, line);
	}
	return r;
}

/* -ENOENT and what is no plain file come to no list: such a package brought nothing. */
static int read_info(const struct view *view, const char *name, const char *kind, struct ownership *ownership,
		     char **ret_text)
{
	CLEANUP_FREE char *path = text_format(INFO "%s.%s", name, kind);
	int r = path ? view_read(view, path, LIST_BYTES_MAX, ret_text) : -ENOMEM;

	ownership->bytes += r == 0 ? strlen(*ret_text) : 0;
	if (ownership->bytes > ALL_BYTES_MAX)
		return -E2BIG;
	return r == -ENOENT || r == -EINVAL || r == -EFBIG ? 1 : r;
}

static int load_package(const struct three_views *views, const struct package_decision *package,
			struct ownership *ownership)
{
	const struct view *const trees[] = { &views->old, &views->new, &views->own };
	CLEANUP_FREE char *sums = NULL;
	int r = 0;

	for (enum source source = SOURCE_OLD; r >= 0 && source <= SOURCE_OWN; source++) {
		CLEANUP_FREE char *text = NULL;

		r = read_info(trees[source], package->name, "list", ownership, &text);
		if (r == 0)
			r = add_list(ownership, text, package, source);
	}
	if (r >= 0)
		r = read_info(&views->own, package->name, "md5sums", ownership, &sums);
	return r == 0 ? add_sums(ownership, sums, package) : r < 0 ? r : 0;
}

/* ---- one entry a path ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct owned_path *)a)->path, ((const struct owned_path *)b)->path);
}

/* A path that went from one package to another belongs to the one that the result will have it from. */
static bool is_better(const struct owned_path *a, const struct owned_path *b)
{
	return a->package->side == PACKAGE_BASE && a->in_new && !(b->package->side == PACKAGE_BASE && b->in_new);
}

static void unite(struct owned_path *kept, struct owned_path *other)
{
	if (is_better(other, kept))
		kept->package = other->package;
	kept->in_old = kept->in_old || other->in_old;
	kept->in_new = kept->in_new || other->in_new;
	kept->in_own = kept->in_own || other->in_own;
	if (!*kept->md5)
		text_copy(kept->md5, sizeof kept->md5, other->md5);
	free(other->path);
}

static void sort(struct ownership *ownership)
{
	size_t kept = 0;

	if (ownership->count)
		qsort(ownership->paths, ownership->count, sizeof *ownership->paths, compare);
	for (size_t i = 0; i < ownership->count; i++) {
		if (kept && compare(&ownership->paths[kept - 1], &ownership->paths[i]) == 0)
			unite(&ownership->paths[kept - 1], &ownership->paths[i]);
		else
			ownership->paths[kept++] = ownership->paths[i];
	}
	ownership->count = kept;
}

int ownership_load(const struct three_views *views, const struct package_merge *merge, struct ownership *ret_ownership)
{
	struct ownership ownership = { 0 };
	int r = load_aliases(views->new.base_fd, &ownership);

	for (size_t i = 0; r == 0 && i < merge->count; i++)
		r = load_package(views, &merge->decisions[i], &ownership);
	if (r < 0) {
		ownership_free(&ownership);
		return r;
	}
	sort(&ownership);
	*ret_ownership = ownership;
	return 0;
}

void ownership_free(struct ownership *ownership)
{
	for (size_t i = 0; i < ownership->count; i++)
		free(ownership->paths[i].path);
	for (size_t i = 0; ownership->aliases[i]; i++)
		free(ownership->aliases[i]);
	free(ownership->paths);
	*ownership = (struct ownership){ 0 };
}

/* The first entry that is not before @path. */
static size_t lower_bound(const struct ownership *ownership, const char *path)
{
	size_t low = 0, high = ownership->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(ownership->paths[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct owned_path *ownership_find(const struct ownership *ownership, const char *path)
{
	size_t i = lower_bound(ownership, path);

	return i < ownership->count && text_equal(ownership->paths[i].path, path) ? &ownership->paths[i] : NULL;
}

bool ownership_any_below(const struct ownership *ownership, const char *directory,
			 bool (*test)(const struct owned_path *owned))
{
	char buffer[OWNERSHIP_PATH_SIZE];
	const char *place = ownership_resolve(ownership, directory, buffer);
	CLEANUP_FREE char *prefix = place ? text_format("%s/", place) : NULL;

	if (!prefix)
		return false;
	for (size_t i = lower_bound(ownership, prefix); i < ownership->count; i++) {
		if (!text_after(ownership->paths[i].path, prefix))
			return false;
		if (test(&ownership->paths[i]))
			return true;
	}
	return false;
}
