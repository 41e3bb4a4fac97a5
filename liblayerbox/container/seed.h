/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers that begin with files: clones, and what comes in streams. */
#pragma once

#include "../core/chain.h"
#include "container.h"

/* A file of the container's directory, at most one directory deep. */
struct seed_file {
	char *path, *text;
};

struct container_seed {
	const struct record *like;    /* settings, base and generation, privileged; where keep_identity, MAC and address */
	struct chain layers;          /* all there, and locked or named by others until the container names them */
	bool keep_identity;           /* MAC and IPv4 of @like where they are free on its network, and no fresh machine-id or keys */
	const struct seed_file *files; /* that it has from the beginning, beside those that every container has */
	size_t file_count;
};

/*
 * Makes container @name from @seed, as lb_container_create() does. The caller holds no lock. @ret_container may be NULL.
 * A network that is not here: the default one, and new addresses, with a warning to the log.
 */
int container_create_from(struct lb_context *ctx, const char *name, const struct container_seed *seed,
			  struct lb_container **ret_container);
