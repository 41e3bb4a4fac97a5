/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container's rebase, planned: docs/generations.md. plan.c puts it together; what is decided about single things
 * is in the other plan-*.c.
 */
#pragma once

#include "../container/record.h"
#include "../snapshot/layer.h"
#include "answers.h"
#include "changes.h"
#include "entry.h"
#include "ownership.h"
#include "report.h"


/* Whether packages of the container's own are brought to versions that fit: see base/debs.h. */
enum plan_fetch {
	PLAN_FETCH_NOT,
	PLAN_FETCH_LATER,             /* the plan says that they would be */
	PLAN_FETCH_KEPT,              /* only what was fetched before */
	PLAN_FETCH_NOW,
};

struct lb_rebase {
	char name[NAME_LENGTH_MAX + 1];
	int base_fd, generation_fd;   /* of the new generation, held so that nobody takes it away */
	char from[BASE_TEXT_SIZE], to[BASE_TEXT_SIZE];
	char to_base[NAME_LENGTH_MAX + 1];
	unsigned to_generation;
	bool same;                    /* it stands there already */
	bool other_release;
	bool is_refresh;              /* nobody asked for it: refresh.base did */
	struct report report;
	struct changes changes;
	struct text_list own_packages; /* that neither base has */
	struct text_list debs;        /* names for debs_put() of packages that are installed before them */
	struct text_list commands;    /* that finish it, each words separated by spaces */
};

/* What there is only while a plan is made. */
struct planning {
	struct lb_context *ctx;
	struct lb_rebase *rebase;
	enum plan_fetch fetch;
	int container_fd, old_fd, new_fd, top_fd;
	struct layer_draft folded;    /* where the container has layers: what top_fd is of */
	struct three_views views;
	struct package_merge packages;
	struct ownership ownership;
	struct answers answers;
	struct text_list handled;     /* sorted: paths of databases, which the walk over files passes by */
	struct text_list alternatives; /* whose links have to be made anew */
	struct text_list opaque;      /* directories of the top layer that hide what the bases have in them */
	uint64_t digested;            /* bytes of the container's that were read for their md5 sums */
	bool dpkg_pending;            /* the merged database has triggers or configuration to finish */
	char path_of_failure[1024];   /* where the walk over files ended, for a sentence */
};

/*
 * Plans for a container whose record was read; @directory_fd is the container's. *ret_rebase as for lb_rebase_plan(): 1
 * where it stands there already, with a plan of what a rebase to the same generation would tidy up where that is asked
 * for.
 */
int plan_make(struct lb_context *ctx, const char *name, int directory_fd, const struct record *record, const char *to,
	      enum plan_fetch fetch, bool even_if_same, struct lb_rebase **ret_rebase);

/* lb_rebase_plan(), with PLAN_FETCH_NOT or PLAN_FETCH_LATER. */
int plan_only(struct lb_context *ctx, const char *name, const char *to, enum plan_fetch fetch,
	      struct lb_rebase **ret_rebase);

/* The parts, in the order in which they are called. Each 0 or a failure with its sentence. */
int plan_packages(struct planning *planning);
int plan_merge(struct planning *planning, const struct three_texts *status, char *error, size_t error_size); /* for that one */
int plan_databases(struct planning *planning);
int plan_made_files(struct planning *planning);
int plan_files(struct planning *planning);
int plan_diverted(struct planning *planning);
int plan_top_packages(struct planning *planning);
int plan_covered_packages(struct planning *planning);
int plan_tasks(struct planning *planning);

/* The package of a file in dpkg's info/, NULL for other paths and for packages that are the same in all three trees. */
const struct package_decision *plan_package_of_info(const struct planning *planning, const char *path);

/* Is this path one that another part has planned? */
bool plan_is_handled(const struct planning *planning, const char *path);

/*
 * The id of a question about @path, the caller's: the same for the same three contents. NULL without memory.
 */
char *plan_question(const char *path, const struct entry *own, const struct entry *old, const struct entry *new);
