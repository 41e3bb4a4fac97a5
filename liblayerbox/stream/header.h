/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first member of a stream: what follows, and what its reader must have. It comes from outside, so what is read is
 * either whole and free of contradictions, or nothing. docs/snapshots.md, "Streams".
 */
#pragma once

#include "../core/chain.h"
#include "../core/name.h"
#include "../snapshot/snapshot.h"

#define HEADER_MEMBER "layerbox-stream"

enum { HEADER_BYTES_MAX = 16 * 1024, DIGEST_TEXT_LENGTH = 64, DIGEST_TEXT_SIZE = DIGEST_TEXT_LENGTH + 1 };

/* How a layer comes. */
enum layer_way {
	LAYER_WHOLE = 1,
	LAYER_HAVE,                   /* it does not: the reader has it */
	LAYER_DIFFERS,                /* as the difference to another one that the reader has */
};

struct stream_header {
	char container[NAME_LENGTH_MAX + 1];
	char snapshot[LABEL_SIZE];    /* "": the container as it was at that moment */
	char files_name[NAME_LENGTH_MAX + 1]; /* name, address and gateway as the files have them */
	char files_ipv4[IPV4_TEXT_SIZE];
	char files_gateway[IPV4_TEXT_SIZE]; /* "": not known */
	char base[NAME_LENGTH_MAX + 1];
	unsigned generation;
	char base_manifest[DIGEST_TEXT_SIZE]; /* SHA-256 of the generation's file `manifest`, in hexadecimal */
	bool base_included;
	struct chain layers;
	enum layer_way ways[CHAIN_MAX]; /* of layers, in their order */
	char from[CHAIN_MAX][LAYER_ID_SIZE]; /* where it differs: from which one */
};

/* The member's text; the caller's, NULL without memory. */
char *header_to_text(const struct stream_header *header);

/* Reads it (@text is changed): -EINVAL with "layerbox-stream:LINE: what is wrong" in @error. */
int header_parse(char *text, struct stream_header *ret_header, char *error, size_t error_size);

/*
 * Decides how the layers of header->layers come to a reader that has the chains @since, newest last: what it has is
 * only named. The lowest that it has not is, where the top of the newest chain is none of ours, a later state of the
 * same top layer, and so comes as the difference to that.
 */
void header_choose_ways(struct stream_header *header, const struct chain *since, size_t count);

/* Is it 64 lower-case hexadecimal digits? */
bool digest_text_is_valid(const char *text);
