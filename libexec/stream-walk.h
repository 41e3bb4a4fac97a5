/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree's way into a stream: each directory before what is in it, names in the order of their bytes. Nothing is
 * followed, mount points are errors. The trees must not change meanwhile: layers and generations do not.
 */
#pragma once

#include "stream-error.h"

struct live_states;
struct stream_sink;

struct stream_walk_options {
	const char *prefix;           /* of the members' names, without a slash at its end */
	int fd;                       /* the tree */
	int from_fd;                  /* only what differs from this one; -1: everything */
	const struct live_states *states; /* of @from_fd's layer; may be NULL */
};

int stream_walk(const struct stream_walk_options *options, struct stream_sink *sink, struct stream_error *error);
