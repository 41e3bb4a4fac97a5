/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "overlay-view.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "../util/text.h"
#include "../util/thread.h"
#include "overlay.h"

/*
 * More is no chain of layers. So many names of up to two digits also fit into the 255 bytes that fsconfig(2) takes as
 * one value.
 */
enum { LOWER_MAX = 64 };

enum { VIEW_ATTRIBUTES = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

struct request {
	const int *lower;             /* directories; by path: detached mounts of them */
	size_t count;
	bool last_is_detached;        /* the last one is such a mount already, which older kernels would not clone */
	const char *source;
	char *error;
	size_t error_size;
	int result;
};

/* A file system in memory that is mounted nowhere. */
static int make_empty(const char *size)
{
	CLEANUP_FD int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "source", "layerbox", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "size", size, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : fd;
}

/* What both ways end with: the layers have been said. */
static int create(int fs, const struct request *request)
{
	int fd, r = overlay_set_options(fs);

	if (r == 0 && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		r = -errno;
	fd = r == 0 ? fsmount(fs, FSMOUNT_CLOEXEC, VIEW_ATTRIBUTES) : -1;
	if (r == 0 && fd < 0)
		r = -errno;
	if (r < 0)
		overlay_explain(fs, "the layers could not be put together", -r, request->error, request->error_size);
	return r < 0 ? r : fd;
}

static int open_context(const char *source)
{
	CLEANUP_FD int fs = fsopen("overlay", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return -errno;
	return take_fd(&fs);
}

/* From Linux 6.13 on layers are given as descriptors. -EOPNOTSUPP: this kernel wants paths. */
static int make_by_descriptor(const struct request *request)
{
	CLEANUP_FD int fs = open_context(request->source);

	if (fs < 0)
		return fs;
	for (size_t i = 0; i < request->count; i++)
		if (fsconfig(fs, FSCONFIG_SET_FD, "lowerdir+", NULL, request->lower[i]) < 0)
			return -EOPNOTSUPP;
	return create(fs, request);
}

/* ---- older kernels ---- */

static void close_all(int *fds, size_t count)
{
	while (count > 0)
		close_fd(fds[--count]);
}

/* Mounts of the directories alone, attached nowhere, so that any namespace can have them. */
static int clone_all(const int *fds, size_t count, int *ret_clones)
{
	for (size_t i = 0; i < count; i++) {
		ret_clones[i] = open_tree(fds[i], "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (ret_clones[i] < 0) {
			close_all(ret_clones, i);
			return -errno;
		}
	}
	return 0;
}

/*
 * These take paths only, all in one value of 255 bytes, and of mounts that the caller's namespace has. So the layers
 * are attached in a namespace that nobody else sees, below a current directory of its own, where their paths are
 * numbers.
 */
static int attach_all(const struct request *request, char *ret_paths, size_t size)
{
	CLEANUP_FD int room = make_empty("64k");
	size_t used = 0;

	if (room < 0)
		return room;
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	/* What is below it is of no use here, and it is on every system. */
	if (move_mount(room, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0 || fchdir(room) < 0)
		return -errno;
	for (size_t i = 0; i < request->count; i++) {
		char name[32];

		snprintf(name, sizeof name, "%zu", i);
		used += (size_t)snprintf(ret_paths + used, size - used, "%s%s", i ? ":" : "", name);
		if (mkdirat(room, name, 0700) < 0 ||
		    move_mount(request->lower[i], "", room, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return -errno;
	}
	return 0;
}

static int make_in_own_namespace(const struct request *request)
{
	char paths[256];
	CLEANUP_FD int fs = -1;
	int r = attach_all(request, paths, sizeof paths);

	if (r < 0)
		return r;
	fs = open_context(request->source);
	if (fs < 0)
		return fs;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", paths, 0) < 0)
		return -errno;
	return create(fs, request);
}

static void *run(void *data)
{
	struct request *request = data;

	request->result = make_in_own_namespace(request);
	return NULL;
}

/* A thread can have a mount namespace and a current directory of its own, and still shares descriptors. */
static int make_by_path(const struct request *original)
{
	struct request request = *original;
	size_t count = original->count - original->last_is_detached;
	int clones[LOWER_MAX], r = clone_all(original->lower, count, clones);
	pthread_t thread;

	if (r < 0)
		return r;
	if (original->last_is_detached)
		clones[count] = original->lower[count];
	request.lower = clones;
	r = thread_begin(&thread, NULL, run, &request);
	if (r == 0) {
		pthread_join(thread, NULL);
		r = request.result;
	}
	close_all(clones, count);
	return r;
}

static int open_view(const int *lower_fds, size_t count, const char *source, bool by_path, char *error, size_t size)
{
	int lower[LOWER_MAX], r = -EOPNOTSUPP;
	CLEANUP_FD int empty = -1;
	struct request request = { .lower = lower, .source = source, .error = error, .error_size = size };

	snprintf(error, size, "%s", "");
	if (count == 0 || count >= LOWER_MAX)
		return -EINVAL;
	while (request.count < count) {
		lower[request.count] = lower_fds[request.count];
		request.count++;
	}
	/* Without an upper one, overlayfs wants two layers; there is nothing in the other one. */
	if (count == 1) {
		empty = make_empty("4k");
		if (empty < 0)
			return empty;
		lower[request.count++] = empty;
		request.last_is_detached = true;
	}
	if (!by_path)
		r = make_by_descriptor(&request);
	return r == -EOPNOTSUPP ? make_by_path(&request) : r;
}

static int open_or_explain(const int *lower_fds, size_t count, const char *source, bool by_path, char *error,
			   size_t size)
{
	int r = open_view(lower_fds, count, source, by_path, error, size);

	if (r < 0 && !*error)
		snprintf(error, size, "the layers could not be put together: %s", strerrordesc_np(-r));
	return r;
}

int overlay_view_open(const int *lower_fds, size_t count, const char *source, char *error, size_t size)
{
	return open_or_explain(lower_fds, count, source, false, error, size);
}

int overlay_view_open_by_path(const int *lower_fds, size_t count, const char *source, char *error, size_t size)
{
	return open_or_explain(lower_fds, count, source, true, error, size);
}
