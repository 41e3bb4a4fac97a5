/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Three-way merges of texts that are lists of entries with a key each: lines, groups of lines, stanzas. */
#pragma once

#include "three.h"

/* How a text falls into entries, and what the key of each is. */
enum keyed_form {
	KEYED_DIVERSIONS,             /* var/lib/dpkg/diversions: three lines, key the first */
	KEYED_STATOVERRIDE,           /* var/lib/dpkg/statoverride: key the fourth field, a path */
	KEYED_LINES,                  /* triggers/File, triggers/Unincorp: the line is the key */
	KEYED_DEBCONF,                /* config.dat, templates.dat: stanzas, key `Name:` */
	KEYED_UCF_HASHES,             /* ucf/hashfile: key the second word, a path */
	KEYED_UCF_REGISTRY,           /* ucf/registry: the same */
};

/*
 * One side changed an entry: that side; both the same: one; both otherwise: the container's. The caller's text in
 * *ret_text, in the new base's order with the container's own entries behind. 0, or -ENOMEM.
 */
int keyed_merge(enum keyed_form form, const struct three_texts *texts, char **ret_text);
