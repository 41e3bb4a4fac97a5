/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stacked.h"

#include <fcntl.h>

#include "../util/file.h"
#include "../util/tree.h"

tree_set stacked_all(const struct chain_trees *trees)
{
	return ((tree_set)1 << trees->count) - 1;
}

void stacked_close(struct stacked_directory *directory)
{
	while (directory->count > 0)
		close_fd(directory->fds[--directory->count]);
}

int stacked_open(const struct chain_trees *trees, const char *path, tree_set parts,
		 struct stacked_directory *ret_directory)
{
	CLEANUP_STACKED_DIRECTORY struct stacked_directory directory = { 0 };

	for (size_t i = 0; i < trees->count; i++) {
		int fd;

		if (!(parts >> i & 1))
			continue;
		fd = tree_open_beneath(trees->fds[i], *path ? path : ".", O_RDONLY | O_DIRECTORY);
		if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
			continue;
		if (fd < 0)
			return fd;
		directory.trees[directory.count] = i;
		directory.fds[directory.count++] = fd;
	}
	*ret_directory = directory;
	directory.count = 0;
	return 0;
}

int stacked_list(const struct stacked_directory *directory, struct text_list *names)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < directory->count; i++)
		r = tree_list_names(directory->fds[i], names);
	return r;
}

/* Does the directory of that name hide what the trees below have in it? */
static int is_opaque(int dir_fd, const char *name)
{
	CLEANUP_FD int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
	return entry_is_opaque(fd);
}

int stacked_look(const struct stacked_directory *directory, const char *name, struct stacked_entry *ret_entry)
{
	struct stacked_entry result = { .entry = { .dir_fd = -1, .name = name } };
	int r = 0;

	for (size_t i = 0; r == 0 && i < directory->count; i++) {
		struct entry entry;

		r = entry_look(directory->fds[i], name, &entry);
		if (r < 0 || !entry.there)
			continue;
		if (entry_is_whiteout(&entry))
			break;
		if (!result.entry.there) {
			result.entry = entry;
			result.tree = directory->trees[i];
		}
		if (!S_ISDIR(entry.st.st_mode))
			break;
		result.parts |= (tree_set)1 << directory->trees[i];
		if (i + 1 < directory->count)
			r = is_opaque(directory->fds[i], name);
	}
	if (r < 0)
		return r;
	*ret_entry = result;
	return 0;
}

/* The last component of @path, in @directory. */
static int read_entry(const struct stacked_directory *directory, const char *name, size_t max, char **ret_text)
{
	struct stacked_entry found;
	CLEANUP_FD int fd = -1;
	size_t length;
	int r = stacked_look(directory, name, &found);

	if (r < 0)
		return r;
	if (!found.entry.there)
		return -ENOENT;
	if (!S_ISREG(found.entry.st.st_mode))
		return -EINVAL;
	fd = entry_open(&found.entry);
	return fd < 0 ? fd : fd_read_all(fd, max, ret_text, &length);
}

int stacked_read(const struct chain_trees *trees, const char *path, size_t max, char **ret_text)
{
	CLEANUP_STACKED_DIRECTORY struct stacked_directory directory = { 0 };
	CLEANUP_FREE char *copy = strdup(path);
	char *name = copy, *slash;
	int r = copy ? stacked_open(trees, "", stacked_all(trees), &directory) : -ENOMEM;

	for (; r == 0 && (slash = strchr(name, '/')); name = slash + 1) {
		struct stacked_entry found;

		*slash = '\0';
		r = stacked_look(&directory, name, &found);
		if (r == 0 && (!found.entry.there || !found.parts))
			r = -ENOENT;
		stacked_close(&directory);
		if (r == 0)
			r = stacked_open(trees, copy, found.parts, &directory);
		*slash = '/';
	}
	return r < 0 ? r : read_entry(&directory, name, max, ret_text);
}
