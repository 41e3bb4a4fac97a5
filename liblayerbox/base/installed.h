/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which Debian packages a tree has, by its var/lib/dpkg/status. The tree is hostile. */
#pragma once

#include "../core/context.h"

#define INSTALLED_FILE "var/lib/dpkg/status"
enum { INSTALLED_BYTES_MAX = 256 << 20 };

struct installed_package {
	const char *name;             /* NAME, or NAME:ARCH for what may be installed for several architectures */
	const char *version;
};

struct installed {
	struct installed_package *packages; /* sorted by name */
	size_t count;
	struct text_list names;       /* what the members point to */
	char *text;
};

#define CLEANUP_INSTALLED CLEANUP(installed_free)
void installed_free(struct installed *installed);

/*
 * Takes @text, which it changes, in every case. What is not there in full (removed, half-configured) is left out.
 * 0, or -ENOMEM.
 */
int installed_parse(char *text, struct installed *ret_installed);

/* Those of a tree; none where it is no Debian. */
int installed_read(struct lb_context *ctx, int tree_fd, const char *what, struct installed *ret_installed);

/*
 * Gives every package that one has and the other has not, or not in that version, to @fn, which may be NULL; how many.
 */
size_t installed_compare(const struct installed *before, const struct installed *after, lb_difference_fn fn,
			 void *userdata);
