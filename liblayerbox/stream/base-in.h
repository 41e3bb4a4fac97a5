/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The base that a stream's container stands on: known by what its manifest says, under whatever name it is here, or
 * else taken from the stream.
 */
#pragma once

#include "header.h"
#include "inbox.h"

struct base_in {
	struct lb_context *ctx;
	char name[NAME_LENGTH_MAX + 1];
	unsigned generation;
	int base_fd, generation_fd;   /* as from base_hold(): nobody takes it away before the container names it */
	bool taken;                   /* from the stream; and so taken back where nothing comes of the container */
	bool first;                   /* the base came about with it */
	bool kept;
};

#define BASE_IN_EMPTY { .base_fd = -1, .generation_fd = -1 }
#define CLEANUP_BASE_IN CLEANUP(base_in_end)

/* SHA-256 of the manifest of a generation here, in hexadecimal. -LB_ERR_DAMAGED where it has none. */
int base_in_digest(struct lb_context *ctx, const char *name, unsigned generation, char ret_digest[DIGEST_TEXT_SIZE]);

/* The same for one whose directory is open. */
int base_in_digest_at(struct lb_context *ctx, int generation_fd, const char *name, unsigned generation,
		      char ret_digest[DIGEST_TEXT_SIZE]);

/* Finds the generation, of any base, with that manifest; that of the stream's name first. 1 where there is none. */
int base_in_find(struct lb_context *ctx, const char *digest, const char *name, unsigned generation,
		 struct base_in *base);

/*
 * Before anything is unpacked: finds it, or says why it can neither be found nor taken. 1 where it is to be taken.
 * @as: the name that it shall have here, or NULL.
 *
 * -LB_ERR_NO_BASE, -LB_ERR_BASE_DIFFERS. Without @as no generation is taken that new containers of others would get.
 */
int base_in_decide(struct lb_context *ctx, const struct stream_header *header, const char *as, struct base_in *base);

/* Takes what lies in the inbox, when all of it is what its manifest says. */
int base_in_take(const struct inbox *inbox, const struct stream_header *header, struct base_in *base);

/* A container names it now. */
void base_in_keep(struct base_in *base);

/* Takes back what nobody has kept, and gives the lock back; allowed at any time. */
void base_in_end(struct base_in *base);
