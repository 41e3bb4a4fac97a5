/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Three dpkg databases made one: whose version of each package counts, and whether what results is consistent.
 * Pure: texts in, texts and decisions out. All three are read as hostile.
 */
#pragma once

#include "report.h"
#include "three.h"

/* What becomes of packages of the container's own whose relations the new base would break. */
enum packages_fetch {
	PACKAGES_FETCH_NOT,           /* they are conflicts */
	PACKAGES_FETCH_ANY,           /* versions that fit are still to be fetched: they are none */
	PACKAGES_FETCHED,             /* what there was is known, and counts instead of them */
};

enum package_side {
	PACKAGE_BASE,                 /* as the new generation has it, or has it no more */
	PACKAGE_TOP,                  /* as the container has it: installed, upgraded, held or removed by its owner */
};

/* A package that is not the same in all three. */
struct package_decision {
	char *name;                   /* as its files in info/ are called: NAME, or NAME:ARCH for Multi-Arch: same */
	enum package_side side;
	bool held;                    /* the owner holds it at a version below the new base's, or that has it no more */
	char *before, *after, *own;   /* versions; NULL where it is not installed (config-files, not there) */
	char *conffiles;              /* of the container's stanza, `PATH MD5[ FLAG]` a line; "" or NULL: none */
};

struct package_merge {
	struct package_decision *decisions; /* by name */
	size_t count;
	char *status;                 /* the merged var/lib/dpkg/status; NULL where neither new nor own has one */
	struct text_list wanted;      /* packages of the container's own to be fetched, NAME[:ARCH][=VERSION], the base's version first */
	struct text_list fetched;     /* NAME[:ARCH] of those that were: the merged status does not have them yet */
};

/*
 * Merges the texts of var/lib/dpkg/status; conflicts (dependencies that held in the container and do not in the result,
 * both sides changed in ways that cannot be reconciled) and what is worth telling go to @report. -EINVAL with a
 * sentence in @error where one of them is damaged, or the container's has packages that are not fully installed.
 *
 * What dpkg left in var/lib/dpkg/updates when it was interrupted is not looked at: the container's has to be empty.
 */
int packages_merge(const struct three_texts *status, struct report *report, struct package_merge *ret_merge,
		   char *error, size_t error_size);

/* The same with packages that are fetched; @fetched: their stanzas, as a status would have them; NULL: none are yet. */
int packages_merge_fetching(const struct three_texts *status, enum packages_fetch fetch, const char *fetched,
			    struct report *report, struct package_merge *ret_merge, char *error, size_t error_size);

void package_merge_free(struct package_merge *merge);

/* The decision for a package by its name in info/; NULL: it is the same in all three, or not known. */
const struct package_decision *package_merge_find(const struct package_merge *merge, const char *name);

/*
 * var/lib/apt/extended_states; the caller's text in *ret_text, NULL where neither new nor own has one. Where both
 * changed an entry, the container's stays. 0, -ENOMEM, or -EINVAL where one of the three cannot be read.
 */
int extended_states_merge(const struct three_texts *texts, char **ret_text);
