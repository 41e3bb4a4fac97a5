/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* deb-version(7): which of two versions of a Debian package is the later one. */
#pragma once

#include "../util/slice.h"

/* Less than, equal to, or greater than 0, as @a is earlier than, the same as, or later than @b. */
int deb_version_compare(const char *a, const char *b);
int deb_version_compare_slices(struct slice a, struct slice b);
