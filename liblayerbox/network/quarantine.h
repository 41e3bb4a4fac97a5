/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses that rest before another container may have them: those of deleted containers, for others may still hold
 * their MAC or a name for them, and those that somebody else was found to use.
 *
 * ROOT/network/BRIDGE/quarantine, a line `IPV4 UNTIL-EPOCH` for each. Whoever has lost the file has lost nothing but
 * caution: lines are appended without a sync, and broken ones are passed over.
 */
#pragma once

#include "address.h"

#define QUARANTINE_FILE "quarantine"

struct quarantine_entry {
	uint32_t address;             /* host byte order */
	int64_t until;                /* seconds since the epoch */
};

struct quarantine {
	struct quarantine_entry *entries; /* sorted by address; an address once */
	size_t count;
};

/* Puts @ipv4 there for the time that layerbox.conf says; 1 where it says none. @directory_fd: ROOT/network/BRIDGE. */
int quarantine_add(struct lb_context *ctx, int directory_fd, const char *ipv4);

/* Those that still rest. Rewrites the file where most of its many lines are over. */
int quarantine_load(struct lb_context *ctx, int directory_fd, struct quarantine *ret_quarantine);

void quarantine_free(struct quarantine *quarantine);

#define CLEANUP_QUARANTINE CLEANUP(quarantine_free)

/* Until when @address rests, 0 when it does not. */
int64_t quarantine_until(const struct quarantine *quarantine, uint32_t address);

/*
 * The text of the file (modified) as those that rest at @now, when no address rests longer than @seconds. *ret_over
 * counts the lines that say nothing any more. -ENOMEM or 0.
 */
int quarantine_parse(char *text, int64_t now, uint32_t seconds, struct quarantine *ret_quarantine, size_t *ret_over);
