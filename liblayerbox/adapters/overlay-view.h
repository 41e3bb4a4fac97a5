/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Layers seen as one tree, read-only and mounted nowhere: the view is a descriptor, whose directories can be walked
 * with openat(2) by any thread, and which can be attached with move_mount(2). It ends with the last descriptor in it.
 */
#pragma once

#include <stddef.h>

/*
 * @lower_fds: directories that the caller's mount namespace has, topmost first, at least one and open for as long as
 * the view is made; what is below them must not change while it is used. @source is what the kernel's mount table
 * calls it, where somebody attaches it. Without setuid, devices and programs. A descriptor of its root, or a negative
 * errno with the cause in @error. Any thread may call it.
 */
int overlay_view_open(const int *lower_fds, size_t count, const char *source, char *error, size_t error_size);

/* The same by the way for kernels before 6.13, for tests. */
int overlay_view_open_by_path(const int *lower_fds, size_t count, const char *source, char *error, size_t error_size);
