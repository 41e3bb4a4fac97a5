/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Identifiers of layers, and a chain of them: what lies between a container's top layer and its base. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
	LAYER_ID_LENGTH = 32,
	LAYER_ID_SIZE = LAYER_ID_LENGTH + 1,
	CHAIN_MAX = 24,               /* layers of a chain; what comes from outside may have no more either */
	CHAIN_FLATTEN = 12,           /* from here on a chain is flattened when it would grow */
};

struct chain {
	size_t count;
	char ids[CHAIN_MAX][LAYER_ID_SIZE]; /* topmost first */
};

/* Is it 32 lower-case hexadecimal digits? */
bool layer_id_is_valid(const char *text);

/* A random one. */
void layer_id_make(char ret_id[LAYER_ID_SIZE]);

/* Reads identifiers with single spaces between them, "" is none; false where it is not that, or one occurs twice. */
bool chain_parse(const char *text, struct chain *ret_chain);

/* The other way; the caller's, NULL without memory. */
char *chain_format(const struct chain *chain);

bool chain_has(const struct chain *chain, const char *id);

/* Puts a layer on top; false where there is no room. */
bool chain_push(struct chain *chain, const char *id);

/* Replaces @upper and the layer below it, which must be @lower, by @merged; false where they are not there so. */
bool chain_replace_pair(struct chain *chain, const char *upper, const char *lower, const char *merged);
