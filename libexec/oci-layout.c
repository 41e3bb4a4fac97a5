/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci-layout.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "util/file.h"
#include "util/tree.h"

#define BLOBS "blobs"
#define BLOBS_SHA256 "blobs/sha256"
#define HIDDEN_PREFIX ".layerbox-"
#define LAYOUT_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"

static int open_beneath(const struct oci_layout *layout, const char *name)
{
	int fd = tree_open_beneath(layout->fd, name, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? oci_fail_errno(layout->error, fd, "cannot open %s/%s", layout->path, name) : fd;
}

int oci_layout_open(const char *path, struct oci_error *error, struct oci_layout *ret_layout)
{
	CLEANUP_OCI_LAYOUT struct oci_layout layout = { .path = path, .fd = -1, .blobs_fd = -1, .error = error };

	layout.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (layout.fd < 0)
		return oci_fail_errno(error, -errno, "cannot open %s", path);
	if (faccessat(layout.fd, OCI_LAYOUT_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return oci_fail(error, OCI_BAD_IMAGE, "%s is no OCI image layout: it has no file " OCI_LAYOUT_FILE,
				path);
	layout.blobs_fd = open_beneath(&layout, BLOBS_SHA256);
	if (layout.blobs_fd < 0)
		return layout.blobs_fd;
	*ret_layout = layout;
	layout = (struct oci_layout)OCI_LAYOUT_EMPTY;
	return 0;
}

void oci_layout_close(struct oci_layout *layout)
{
	close_fd(take_fd(&layout->blobs_fd));
	close_fd(take_fd(&layout->fd));
}

/* ---- making one ---- */

static int lock(const struct oci_layout *layout)
{
	while (flock(layout->fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return oci_fail_errno(layout->error, -errno, "cannot lock %s", layout->path);
	return 0;
}

/* Under the lock: whoever made them is dead. */
static int remove_hidden(const struct oci_layout *layout, const struct text_list *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (text_after(names->items[i], HIDDEN_PREFIX) && unlinkat(layout->fd, names->items[i], 0) < 0)
			return oci_fail_errno(layout->error, -errno, "cannot remove %s/%s", layout->path,
					      names->items[i]);
	return 0;
}

static int make_directory(const struct oci_layout *layout, const char *name)
{
	if (mkdirat(layout->fd, name, 0700) < 0 && errno != EEXIST)
		return oci_fail_errno(layout->error, -errno, "cannot make %s/%s", layout->path, name);
	return 0;
}

/* An empty directory becomes a layout; somebody's directory with other things in it does not. */
static int begin(const struct oci_layout *layout, const struct text_list *names)
{
	int r = 0;

	if (text_list_has(names, OCI_LAYOUT_FILE))
		return 0;
	for (size_t i = 0; i < names->count; i++)
		if (*names->items[i] != '.' && !text_equal(names->items[i], BLOBS))
			return oci_fail(layout->error, -EEXIST,
					"%s is neither empty nor an OCI image layout: it has no file " OCI_LAYOUT_FILE,
					layout->path);
	r = make_directory(layout, BLOBS);
	if (r == 0)
		r = make_directory(layout, BLOBS_SHA256);
	if (r < 0)
		return r;
	r = file_write(layout->fd, OCI_LAYOUT_FILE, LAYOUT_TEXT, strlen(LAYOUT_TEXT), 0600, FILE_DURABLE);
	return r < 0 ? oci_fail_errno(layout->error, r, "cannot write %s/" OCI_LAYOUT_FILE, layout->path) : 0;
}

int oci_layout_make(const char *path, struct oci_error *error, struct oci_layout *ret_layout)
{
	CLEANUP_OCI_LAYOUT struct oci_layout layout = { .path = path, .fd = -1, .blobs_fd = -1, .error = error };
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int r;

	/* 0700: what comes has all files of a container. */
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return oci_fail_errno(error, -errno, "cannot make %s", path);
	layout.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (layout.fd < 0)
		return oci_fail_errno(error, -errno, "cannot open %s", path);
	r = lock(&layout);
	if (r < 0)
		return r;
	r = tree_list_names(layout.fd, &names);
	if (r < 0)
		return oci_fail_errno(error, r, "cannot read %s", path);
	r = begin(&layout, &names);
	if (r == 0)
		r = remove_hidden(&layout, &names);
	if (r < 0)
		return r;
	layout.blobs_fd = open_beneath(&layout, BLOBS_SHA256);
	if (layout.blobs_fd < 0)
		return layout.blobs_fd;
	*ret_layout = layout;
	layout = (struct oci_layout)OCI_LAYOUT_EMPTY;
	return 0;
}

int oci_layout_write_index(const struct oci_layout *layout, const char *text)
{
	int r = 0;

	if (fsync(layout->blobs_fd) < 0)
		r = -errno;
	if (r == 0)
		r = file_write(layout->fd, OCI_INDEX_FILE, text, strlen(text), 0600, FILE_DURABLE);
	return r < 0 ? oci_fail_errno(layout->error, r, "cannot write %s/" OCI_INDEX_FILE, layout->path) : 0;
}
