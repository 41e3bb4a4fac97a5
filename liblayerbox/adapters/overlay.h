/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mounting a container's root: an overlay whose layers are idmapped mounts, by raw system calls, since
 * libmount 2.38 ignores X-mount.idmap. The options are chosen here and nowhere else.
 *
 * For single-threaded helper processes only: it changes the process's credentials for a moment, and must
 * run in a mount namespace of its own that does not propagate to the host's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct overlay_spec {
	const int *lower_fds;         /* directories, topmost first */
	size_t lower_count;
	int layers_fd;                /* the directory that holds both @upper and @work */
	const char *upper, *work;     /* names below layers_fd */
	uint32_t id_start, id_count;  /* the container's ids on the host; a count of 0: no id map */
	int place_fd;                 /* a private, writable directory; older kernels need room beside @target */
	const char *target;           /* the directory in it that is mounted on */
	bool mount_by_path;           /* take the way for kernels before 6.13, for tests */
};

/* 0, or a negative errno with the cause in @error. Nothing stays mounted on failure. */
int overlay_mount(const struct overlay_spec *spec, char *error, size_t error_size);

/* A user namespace that maps @id_count ids from 0 to @id_start: a descriptor of it, or a negative errno. */
int overlay_user_namespace(uint32_t id_start, uint32_t id_count);

/*
 * Takes @id, the container's root as the host sees it, for user and group, and keeps all capabilities: only files of
 * ids that the layers know can be made in an overlay. A negative errno or 0; in both cases
 * overlay_become_root_again().
 */
int overlay_become(uint32_t id);
void overlay_become_root_again(void);

/* Says in a context of fsopen(2) all options whose defaults a host may have changed. 0, or a negative errno. */
int overlay_set_options(int fs_fd);

/* "@what: @error", and what the kernel wrote about such a context, instead of a bare errno. */
void overlay_explain(int fs_fd, const char *what, int error, char *text, size_t size);
