/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A mount once more, attached nowhere and with attributes of its own: what is made of layers for an overlay, and of
 * directories and files of the host for a container.
 */
#pragma once

#include <stdint.h>

/*
 * The mount that @fd is in, from there down and without what is mounted below it. @attributes: MOUNT_ATTR_* of
 * mount_setattr(2). @userns_fd: idmapped as that user namespace says, unless negative. From then on nothing propagates
 * into it. A descriptor, or a negative errno; -EINVAL where the file system cannot be idmapped.
 */
int mount_clone(int fd, int userns_fd, uint64_t attributes);

/* Attaches it at @target_fd, which both are directories or neither. A negative errno or 0. */
int mount_clone_attach(int clone_fd, int target_fd);
