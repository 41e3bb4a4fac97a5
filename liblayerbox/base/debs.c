/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "debs.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "../core/store.h"
#include "../util/file.h"
#include "../util/stanza.h"
#include "../util/tree-copy.h"
#include "../util/tree.h"
#include "base.h"
#include "debs-apt.h"

#define NEW ".new"

/* So long, whatever version apt took is what it would take again. */
enum { FRESH_S = 600, CONTROL_BYTES_MAX = 1 << 20 };

/* ---- the directory ---- */

/* Opens and locks it; waits for whoever fetches into it. */
static int open_locked(struct lb_context *ctx, const char *base, unsigned generation)
{
	CLEANUP_FREE char *path = text_format(STORE_DEBS "/%s@%u", base, generation);
	CLEANUP_FD int fd = -1;
	struct stat st;
	int r = store_open(ctx);

	if (r < 0)
		return r;
	if (!path)
		return fail_memory(ctx);
	r = tree_make_directories(ctx->root_fd, path, 0700);
	fd = r < 0 ? -1 : openat(ctx->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(ctx, r < 0 ? r : errno, "cannot open %s/%s", ctx->config.root, path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return fail_errno(ctx, errno, "cannot lock %s/%s", ctx->config.root, path);
	if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		return fail(ctx, -LB_ERR_NO_BASE, "generation %u of base '%s' was removed just now", generation, base);
	return take_fd(&fd);
}

/* PACKAGE[:ARCH] of a word that may have =VERSION behind it, and what else a file's name needs. */
static char *name_of(const char *word, const char *suffix)
{
	return text_format("%.*s%s", (int)strcspn(word, "="), word, suffix);
}

/* ---- what there is ---- */

/* Without another version asked for, or with just that; or looked up lately. */
static bool is_usable(int fd, const char *word)
{
	CLEANUP_FREE char *name = name_of(word, ".control");
	CLEANUP_FREE char *control = NULL;
	const char *version = strchr(word, '=');
	struct stat st;

	if (!name || file_read(fd, name, CONTROL_BYTES_MAX, &control, NULL) < 0 ||
	    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return (version && slice_is(stanza_get(slice_of(control), "Version"), version + 1)) ||
	       time(NULL) < st.st_mtime + FRESH_S;
}

static int find_missing(int fd, const struct text_list *wanted, struct text_list *missing)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < wanted->count; i++)
		if (!is_usable(fd, wanted->items[i]))
			r = text_list_add(missing, wanted->items[i]);
	return r;
}

static char *read_stanzas(int fd, const struct text_list *wanted)
{
	struct buffer text = { 0 };

	for (size_t i = 0; i < wanted->count; i++) {
		CLEANUP_FREE char *name = name_of(wanted->items[i], ".control");
		CLEANUP_FREE char *control = NULL;

		if (!name)
			text.failed = true;
		else if (file_read(fd, name, CONTROL_BYTES_MAX, &control, NULL) == 0)
			buffer_format(&text, "%s\n", control);
	}
	buffer_add_text(&text, "");
	return buffer_finish(&text);
}

/* ---- what is fetched ---- */

/* As apt names files that it downloads: a version's colon, for one, is %3a. */
static void add_quoted(struct buffer *name, struct slice part)
{
	for (size_t i = 0; i < part.length; i++) {
		if (part.data[i] == ':' || part.data[i] == '_')
			buffer_format(name, "%%%02x", (unsigned char)part.data[i]);
		else
			buffer_add(name, part.data + i, 1);
	}
}

/* Where it came from a directory of the base's, it is called as it was there. */
static int open_downloaded(int upper_fd, struct slice stanza, char **ret_name)
{
	struct slice filename = stanza_get(stanza, "Filename");
	struct buffer quoted = { 0 };
	int fd;

	add_quoted(&quoted, stanza_get(stanza, "Package"));
	buffer_add_text(&quoted, "_");
	add_quoted(&quoted, stanza_get(stanza, "Version"));
	buffer_add_text(&quoted, "_");
	add_quoted(&quoted, stanza_get(stanza, "Architecture"));
	buffer_add_text(&quoted, ".deb");
	*ret_name = buffer_finish(&quoted);
	if (!*ret_name)
		return -ENOMEM;
	fd = openat(upper_fd, *ret_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	free(*ret_name);
	while (slice_until(filename, '/') < filename.length)
		filename = slice_tail(filename, slice_until(filename, '/') + 1);
	*ret_name = text_format("%.*s", SLICE_ARGS(filename));
	fd = *ret_name ? openat(upper_fd, *ret_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
	return fd < 0 ? -errno : fd;
}

/* Moves one to its place, by the name that was asked for. */
static int keep(int fd, int upper_fd, const char *word, struct slice stanza)
{
	CLEANUP_FREE char *downloaded = NULL;
	CLEANUP_FREE char *deb = name_of(word, ".deb");
	CLEANUP_FREE char *control = name_of(word, ".control");
	CLEANUP_FREE char *text = text_format("Status: install ok installed\n%.*s", SLICE_ARGS(stanza));
	CLEANUP_FD int deb_fd = open_downloaded(upper_fd, stanza, &downloaded);
	struct stat st;

	if (!deb || !control || !text || deb_fd < 0)
		return deb_fd < 0 ? deb_fd : -ENOMEM;
	if (fstat(deb_fd, &st) < 0 || fchown(deb_fd, 0, 0) < 0 || fchmod(deb_fd, 0644) < 0 || fsync(deb_fd) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((unlinkat(fd, control, 0) < 0 && errno != ENOENT) || renameat(upper_fd, downloaded, fd, deb) < 0)
		return -errno;
	return file_write(fd, control, text, strlen(text), 0644, FILE_DURABLE);
}

/* Is it the stanza of what @word, PACKAGE[:ARCH]=VERSION, names? */
static bool is_of(struct slice stanza, const char *word)
{
	struct slice version = slice_of(strchr(word, '=') + 1), name = slice_head(slice_of(word), strcspn(word, ":="));
	struct slice architecture = slice_head(slice_of(word + name.length), strcspn(word + name.length, "="));

	return slice_equal(stanza_get(stanza, "Package"), name) &&
	       slice_equal(stanza_get(stanza, "Version"), version) &&
	       (architecture.length == 0 ||
		slice_equal(stanza_get(stanza, "Architecture"), slice_tail(architecture, 1)));
}

static int keep_all(struct lb_context *ctx, int fd, int upper_fd, const struct text_list *chosen, const char *stanzas)
{
	for (size_t i = 0; i < chosen->count; i++) {
		const char *cursor = stanzas;
		struct slice stanza;
		int r = -ENOENT;

		while (r == -ENOENT && stanza_next(&cursor, &stanza))
			if (is_of(stanza, chosen->items[i]))
				r = keep(fd, upper_fd, chosen->items[i], stanza);
		if (r < 0)
			return fail_errno(ctx, r, "cannot keep the package %s that was downloaded", chosen->items[i]);
	}
	return 0;
}

static int make_layers(int fd, int *ret_new_fd, int *ret_upper_fd)
{
	CLEANUP_FD int new_fd = -1;
	int r = tree_remove(fd, NEW);

	if (r < 0)
		return r;
	if (mkdirat(fd, NEW, 0700) < 0)
		return -errno;
	new_fd = openat(fd, NEW, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (new_fd < 0 || mkdirat(new_fd, DEBS_UPPER, 0755) < 0 || fchmodat(new_fd, DEBS_UPPER, 0755, 0) < 0 ||
	    mkdirat(new_fd, DEBS_WORK, 0700) < 0)
		return -errno;
	*ret_upper_fd = openat(new_fd, DEBS_UPPER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_upper_fd < 0)
		return -errno;
	*ret_new_fd = take_fd(&new_fd);
	return 0;
}

static int fetch(struct lb_context *ctx, int fd, const struct lb_base *base, const struct text_list *missing)
{
	CLEANUP_FREE char *layers = store_path(ctx, STORE_DEBS "/%s@%u/" NEW, base->name, base->generation);
	CLEANUP_TEXT_LIST struct text_list chosen = { 0 };
	CLEANUP_FREE char *stanzas = NULL;
	CLEANUP_FD int new_fd = -1;
	CLEANUP_FD int upper_fd = -1;
	int r = layers ? make_layers(fd, &new_fd, &upper_fd) : -ENOMEM;

	if (r < 0)
		return fail_errno(ctx, r, "cannot make layers for packages of %s@%u", base->name, base->generation);
	r = debs_download(base, layers, new_fd, missing, &chosen, &stanzas);
	if (r == 0 && chosen.count)
		r = keep_all(ctx, fd, upper_fd, &chosen, stanzas);
	tree_remove(fd, NEW);
	return r;
}

/* ---- the calls ---- */

int debs_fetch(struct lb_context *ctx, const char *base, unsigned generation, const struct text_list *wanted,
	       bool network, char **ret_status)
{
	CLEANUP_FREE char *text = text_format("%s@%u", base, generation);
	CLEANUP_TEXT_LIST struct text_list missing = { 0 };
	struct lb_base *opened;
	CLEANUP_FD int fd = -1;
	int r = text ? base_open(ctx, text, &opened) : fail_memory(ctx);

	if (r < 0)
		return r;
	fd = open_locked(ctx, base, generation);
	r = fd < 0 ? fd : 0;
	if (r == 0 && network && find_missing(fd, wanted, &missing) < 0)
		r = fail_memory(ctx);
	if (r == 0 && missing.count)
		r = fetch(ctx, fd, opened, &missing);
	lb_base_free(opened);
	if (r < 0)
		return r;
	*ret_status = read_stanzas(fd, wanted);
	return *ret_status ? 0 : fail_memory(ctx);
}

int debs_put(struct lb_context *ctx, const char *base, unsigned generation, const struct text_list *packages, int to_fd)
{
	CLEANUP_FD int fd = open_locked(ctx, base, generation);

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < packages->count; i++) {
		CLEANUP_FREE char *name = name_of(packages->items[i], ".deb");
		int r = name ? 0 : -ENOMEM;

		if (r == 0 && linkat(fd, name, to_fd, name, 0) < 0)
			r = errno == EXDEV || errno == EMLINK ? tree_copy_entry(fd, name, to_fd, name, NULL) : -errno;
		if (r == -ENOENT)
			return fail(ctx, -LB_ERR_BUSY, "package %s of %s@%u was removed just now; try again",
				    packages->items[i], base, generation);
		if (r < 0)
			return fail_errno(ctx, r, "cannot take package %s of %s@%u", packages->items[i], base,
					  generation);
	}
	return 0;
}

static void sweep_one(struct lb_context *ctx, int debs_fd, const char *name)
{
	CLEANUP_FREE char *path = text_format(STORE_BASES "/%s", name);
	CLEANUP_FD int fd = -1;
	char *at = path ? strchr(path, '@') : NULL;

	if (!at)
		return;
	*at = '/';
	if (faccessat(ctx->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return;
	fd = openat(debs_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && tree_remove(debs_fd, name) < 0)
		log_message(ctx, LB_LOG_WARNING, "packages of %s, which is no more, could not be removed", name);
}

void debs_sweep(struct lb_context *ctx)
{
	CLEANUP_FD int fd = -1;
	CLEANUP_DIR DIR *dir = NULL;
	struct dirent *entry;

	if (store_open(ctx) < 0)
		return;
	fd = openat(ctx->root_fd, STORE_DEBS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : take_dir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	while (dir && (entry = readdir(dir)))
		sweep_one(ctx, fd, entry->d_name);
}
