/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The firewall of a network, kept as the records of its containers say. Records are the truth: whoever changes one
 * calls guests_change() when it is written. Where the network is down there is nothing to do, since all is made when
 * it comes up.
 */
#pragma once

#include "../container/record.h"
#include "firewall.h"
#include "plan.h"
#include "port.h"

/* A container as the firewall sees it; it points into its record and its plan. */
struct guest {
	struct firewall_guest firewall;
	char port[PORT_NAME_SIZE];
	char ipv6[FORWARD_LISTEN_SIZE];
	struct firewall_forward *forwards;
	struct firewall_rule *rules;
};

int guest_describe(struct lb_context *ctx, const struct network_plan *plan, const char *name,
		   const struct record *record, struct guest *ret_guest);
void guest_free(struct guest *guest);

#define CLEANUP_GUEST CLEANUP(guest_free)

/* All that are on the network of @plan. */
struct guest_list {
	struct record_entry *records;
	size_t record_count;
	struct guest *guests;         /* what the items point into */
	struct firewall_guest *items;
	size_t count;
};

/* A container whose record cannot be read is left out, with a warning: then nothing passes from it. */
int guest_list_load(struct lb_context *ctx, const struct network_plan *plan, struct guest_list *ret_list);
void guest_list_free(struct guest_list *list);

#define CLEANUP_GUEST_LIST CLEANUP(guest_list_free)

/* Brings in, or puts right, the whole firewall of the network. 1 when all was right. */
int guests_apply(struct lb_context *ctx, const struct network_plan *plan);

/* The same for every other network that is up: each knows the names of all. */
int guests_apply_others(struct lb_context *ctx, const char *network);

/* Adds a sentence to @problems for everything that is not as the records say. */
int guests_check(struct lb_context *ctx, const struct network_plan *plan, struct text_list *problems);

/* Makes sure that a container which is there has what it needs. Cheap. */
int guests_admit(struct lb_context *ctx, const struct network_plan *plan, const char *name,
		 const struct record *record);

/* The record, or the name, was changed from @before to @after. */
int guests_change(struct lb_context *ctx, const char *old_name, const struct record *before, const char *name,
		  const struct record *after);

/*
 * The container is gone. The caller has held lock_firewall() since before its name was free, so that nothing is taken
 * from another who has its address or ports since.
 */
int guests_dismiss(struct lb_context *ctx, const char *name, const struct record *record);

/* The same for one whose record could not be read: every network is looked at. */
int guests_dismiss_unknown(struct lb_context *ctx);
