/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rule for names of containers and bases: a DNS label in lower case (RFC 1123, section 2.1). A network is called as
 * its bridge is, by the name of an interface.
 */
#pragma once

#include "context.h"

enum { NAME_LENGTH_MAX = 63, GENERATION_MAX = 999999 };

bool name_is_valid(const char *name);
bool name_is_bridge(const char *name);

/* 0, or -LB_ERR_BAD_NAME with the rule; @what is "container" or "base". */
int name_check(struct lb_context *ctx, const char *what, const char *name);

/* Reads NAME@GENERATION, both of which there must be; false for anything else, and then nothing is written. */
bool name_parse_base(const char *text, char ret_name[NAME_LENGTH_MAX + 1], unsigned *ret_generation);

/* Splits NAME or NAME@GENERATION; *ret_generation is 0 where none was given. */
int name_split_base(struct lb_context *ctx, const char *text, char ret_name[NAME_LENGTH_MAX + 1],
		    unsigned *ret_generation);
