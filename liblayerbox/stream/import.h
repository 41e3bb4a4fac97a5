/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream while it is made a container. Nothing of it is used before all of it was read and found well. */
#pragma once

#include "../container/seed.h"
#include "../snapshot/layer.h"
#include "base-in.h"
#include "header.h"
#include "id-map.h"
#include "inbox.h"

struct import {
	struct lb_context *ctx;
	const struct lb_import_options *options; /* may be NULL */
	struct inbox inbox;
	struct stream_header header;
	char name[NAME_LENGTH_MAX + 1]; /* of the container here */
	struct record record;         /* of the stream */
	struct snapshot_record snapshot; /* of the stream, where header.snapshot */
	struct base_in base;
	bool take_base;
	int replaced_fd;              /* the container that is replaced, as it was judged: open, so that no other gets its inode */
	struct id_map map;
	struct chain_trees held;      /* layers that are here already and must stay */
	bool here[CHAIN_MAX];         /* of header.layers, those that are here already */
	struct chain layers;          /* header.layers as they are called here */
	bool done;                    /* a container names them */
	size_t draft_count;
	struct layer_draft drafts[CHAIN_MAX]; /* locked until a container names them */
};

#define CLEANUP_IMPORT CLEANUP(import_end)
void import_end(struct import *import);

/*
 * May the stream take the place of the container, which is locked? Asked before all is unpacked, and again under the
 * lock under which it does: meanwhile somebody may have made another one of that name. *ret_record: its record.
 */
int import_check_replaced(struct import *import, int container_fd, struct record *ret_record);

/* Looks at the stream's small members, and says what of the rest may come: for helper_unpack(). */
int import_decide(int answer_fd, void *userdata);

/* Puts base and layers in their places; import->layers are there then, and nobody's yet. */
int import_place(struct import *import);

/* Whose name and address the files that came have. */
struct container_origin import_origin(const struct import *import);

/* Of the stream's snapshot what can be written down here; the caller's text, NULL without memory. */
char *import_snapshot_text(const struct import *import);

/* Has the container, which is there and stopped, go on with what came. */
int import_replace(struct import *import);
