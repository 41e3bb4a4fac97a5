/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers that begin with files: clones, and what comes in streams. */
#pragma once

#include "../core/chain.h"
#include "container.h"

/* A file of the container's directory, at most one directory deep. */
struct seed_file {
	char *path, *text;
};

/* What the files of a container say of it, where they were written. */
struct container_origin {
	const char *name, *ipv4;
	const char *gateway;          /* NULL: as on the network where it is now */
};

struct container_seed {
	const struct record *like;    /* settings, base and generation, privileged, network; where keep_identity, MAC and address */
	struct chain layers;          /* all there, and locked or named by others until the container names them */
	struct container_origin origin;
	bool keep_identity;           /* MAC and IPv4 of @like where they are free on its network, no fresh machine-id or keys */
	const struct seed_file *files; /* that it has from the beginning, beside those that every container has */
	size_t file_count;
};

/*
 * Makes container @name from @seed, as lb_container_create() does. The caller holds no lock. @ret_container may be
 * NULL. A network that is not here: the default one, and new addresses, with a warning to the log.
 */
int container_create_from(struct lb_context *ctx, const char *name, const struct container_seed *seed,
			  struct lb_container **ret_container);

/*
 * Writes into the new top layer @top_fd over record->layers the files that have the container's name and address, where
 * they are as they were rendered for @origin.
 */
int container_rerender(struct lb_context *ctx, int top_fd, const char *name, const struct record *record,
		       const struct container_origin *origin);

/* The same, and gives it a machine-id, and SSH host keys at its next start, of its own. */
int container_rerender_as_new(struct lb_context *ctx, int top_fd, const char *name, const struct record *record,
			      const struct container_origin *origin);
