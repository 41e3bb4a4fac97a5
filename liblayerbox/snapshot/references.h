/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who names which layers and which generations of bases: containers, and snapshots of them. */
#pragma once

#include "snapshot.h"

/* One that names layers and a generation. */
struct reference {
	char container[NAME_LENGTH_MAX + 1];
	char label[LABEL_SIZE];       /* "": the container itself */
	bool mounted;                 /* the chain that a running container was started with */
	bool next;                    /* of a committed change: not all may be in its place yet */
	bool rebase;                  /* of a generation alone, that a rebase came from or goes to */
	struct chain chain;
	char base[NAME_LENGTH_MAX + 1];
	unsigned generation;
};

struct references {
	struct reference *items;
	size_t count, capacity;
};

#define CLEANUP_REFERENCES CLEANUP(references_free)
void references_free(struct references *references);

/* All of them. A record or a snapshot that cannot be read is a failure: what it names is not known. */
int references_collect(struct lb_context *ctx, struct references *ret_references);

/*
 * Those of one container, whose directory is open: of its record, of its snapshots, and of a change that is committed.
 * What all who ask what is needed go by. Without a lock of the container's it starts over where somebody changes it
 * meanwhile, so that nothing is missed that goes from one name to another.
 */
int references_collect_of(struct lb_context *ctx, int container_fd, const char *name, struct references *references);

/* Does anybody name the layer? */
bool references_name(const struct references *references, const char *id);
